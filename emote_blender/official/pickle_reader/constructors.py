"""The globals of a pickle: a few build a value, harmless classes become inert stand-ins, all others are refused.

Nothing that a file names is imported or called. A name is looked up in a table of our own functions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .inert import InertClass, InertObject, RefusedPickle, SparseMatrix

# Root modules whose names are refused, classes too. The list only decides the wording: nothing else runs either.
DANGEROUS_MODULES = frozenset(
    """_codecs _io _operator _pickle _posixsubprocess _socket _thread _winapi ast asyncio atexit bdb bpy builtins
    cProfile cloudpickle cmd code codecs codeop compileall concurrent copyreg ctypes dill distutils doctest
    ensurepip faulthandler ftplib functools gc glob http idlelib imp importlib inspect io itertools jinja2
    joblib linecache logging marshal mmap msvcrt multiprocessing nt ntpath operator os pdb pickle pip pkgutil
    platform posix posixpath profile pty py pydoc requests resource runpy setuptools shelve shutil signal site
    smtplib socket socketserver sqlite3 ssl subprocess sys tempfile test threading timeit trace traceback tty
    types unittest urllib uuid venv weakref webbrowser winreg wsgiref xmlrpc yaml zipapp zipimport""".split()
)
_OLD_NAMES = {"__builtin__": "builtins", "copy_reg": "copyreg", "UserDict": "collections"}
# Lower-case names of harmless classes, which the rule for classes below does not recognise.
_INERT_LOWER_CASE = frozenset({"datetime.datetime", "datetime.timedelta", "datetime.date"})
_PLAIN_TYPES = frozenset({"int", "float", "str", "bool", "object", "type", "long", "unicode", "NoneType"})
_SPARSE = re.compile(r"scipy\.sparse(\._?[a-z]+)?\.(csc|csr|coo)_(matrix|array)")
_DTYPE_CODE = re.compile(r"([<>|=]?)(\?|O[48]?|b1|[iu][1248]?|f(?:2|4|8)|c(?:8|16)|[SUa]([0-9]{1,6})|[bBhHiIlLqQefd])")
MAX_DICT_ITEMS = 10_000  # a file can choose numbers whose hashes collide, which costs the square of this
_MAX_DIMENSIONS = 32
_MAX_LENGTH = 1 << 40


@dataclass(frozen=True)
class Constructor:
    """An allowed global.

    Attributes:
        name: its name in the file.
        build: `build(args, charge)` makes its value; `charge(bytes)` is called before memory is allocated.
    """

    name: str
    build: Callable[[tuple, Callable[[int], None]], object]


@dataclass(eq=False)
class DTypeState:
    """A numpy dtype under construction.

    Attributes:
        code: numpy's code of the type, such as "f4".
        byteorder: "<", ">", "|" or "=".
    """

    code: str
    byteorder: str = "="

    def fill(self, state: object) -> None:
        """Take the byte order from numpy's (version, byteorder, subdtype, names, fields, size, ...)."""
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise RefusedPickle("describes a number type that no array has")
        if any(part is not None for part in state[2:5]):
            raise RefusedPickle("holds an array of records, which no model or head has")
        self.byteorder = state[1]

    def resolve(self) -> np.dtype:
        """The dtype."""
        dtype = plain_dtype(self.code)
        return dtype.newbyteorder(">") if self.byteorder == ">" else dtype


def plain_dtype(code: object) -> np.dtype:
    """The dtype of numbers, text or objects for a code like "<f4"; records and everything else are refused."""
    if not isinstance(code, str) or not (match := _DTYPE_CODE.fullmatch(code)) or match[3] == "0":
        raise RefusedPickle(f"names the number type {code!r:.40}, which no model or head has")
    return np.dtype(object) if "O" in code else np.dtype(code.replace("a", "S"))


def checked_shape(shape: object, itemsize: int, num_bytes: int) -> tuple[int, ...]:
    """The shape; raises RefusedPickle unless an array of this shape has exactly `num_bytes`."""
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise RefusedPickle("holds an array without a shape")
    if not all(type(length) is int and 0 <= length < _MAX_LENGTH for length in shape):
        raise RefusedPickle(f"holds an array of absurd shape {shape!r:.60}")
    if math.prod(shape) * itemsize != num_bytes:
        raise RefusedPickle(f"holds an array of shape {shape!r:.60} with {num_bytes} bytes")
    return shape


def fill_array(array: np.ndarray, state: object, charge: Callable[[int], None]) -> None:
    """Fill an empty array from `_reconstruct` with shape, type and values, after checking them."""
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise RefusedPickle("holds an array with a damaged state")
    shape, dtype_state, fortran, raw = state[-4:]
    if array.size or not isinstance(dtype_state, DTypeState):
        raise RefusedPickle("fills an array twice or without a number type")
    dtype = dtype_state.resolve()
    if dtype.hasobject:
        if not isinstance(raw, list):
            raise RefusedPickle("holds an array of objects without its objects")
        charge(len(raw) * dtype.itemsize)
        checked = checked_shape(shape, 1, len(raw))
    else:
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw  # Python 2 wrote bytes as text
        if not isinstance(raw, bytes | bytearray):
            raise RefusedPickle("holds an array without its values")
        charge(len(raw))
        checked = checked_shape(shape, dtype.itemsize, len(raw))
        raw = bytes(raw)
    array.__setstate__((1, checked, dtype, bool(fortran), raw))


def _new_array(args: tuple, charge: Callable[[int], None]) -> np.ndarray:
    if not args or not isinstance(args[0], InertClass) or not args[0].class_name.startswith("numpy."):
        raise RefusedPickle("rebuilds an array of an unknown class")
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def _array_from_buffer(args: tuple, charge: Callable[[int], None]) -> np.ndarray:
    if len(args) != 4 or not isinstance(args[1], DTypeState) or args[3] not in ("C", "F"):
        raise RefusedPickle("holds an array with a damaged state")
    array = np.ndarray.__new__(np.ndarray, (0,), "b")
    fill_array(array, (args[2], args[1], args[3] == "F", args[0]), charge)
    return array


def _scalar(args: tuple, charge: Callable[[int], None]) -> object:
    dtype = args[0].resolve() if len(args) == 2 and isinstance(args[0], DTypeState) else None
    raw = args[1].encode("latin-1") if dtype and isinstance(args[1], str) else args[-1] if args else None
    if dtype is None or dtype.hasobject or not isinstance(raw, bytes) or len(raw) != dtype.itemsize:
        raise RefusedPickle("holds a damaged number")
    return np.frombuffer(raw, dtype)[0]


def _dtype(args: tuple, charge: Callable[[int], None]) -> DTypeState:
    if not args or len(args) > 3:
        raise RefusedPickle("describes a number type that no array has")
    plain_dtype(args[0])
    return DTypeState(args[0])


def _latin1_bytes(args: tuple, charge: Callable[[int], None]) -> bytes:
    """Bytes as Python 3 writes them in protocol 2: codecs.encode(text, "latin1")."""
    if len(args) != 2 or not isinstance(args[0], str) or args[1] not in ("latin1", "latin-1"):
        raise RefusedPickle("asks to encode text in a way no array needs")
    charge(len(args[0]))
    return args[0].encode("latin-1")


def _bytes(args: tuple, charge: Callable[[int], None]) -> bytes:
    """bytes() and bytearray(b"...") only: a number would ask for that many zeros."""
    if args and not isinstance(args[0], bytes):
        return _latin1_bytes(args, charge)
    charge(len(args[0]) if args else 0)
    return args[0] if args else b""


def is_plain_key(key: object) -> bool:
    """Whether `key` may be in a dict or set: its hash takes little time, whatever the file holds."""
    if isinstance(key, tuple):
        return len(key) <= 16 and all(not isinstance(part, tuple) and is_plain_key(part) for part in key)
    return key is None or isinstance(key, str | bytes | int | float | InertClass | Constructor | np.generic)


def _elements(args: tuple, charge: Callable[[int], None]) -> list:
    """The one list argument of list(), set() and their like."""
    if not args:
        return []
    if len(args) > 1 or not isinstance(args[0], list | tuple | set | frozenset):
        raise RefusedPickle("builds a container from something that is no list")
    charge(64 * len(args[0]))
    return list(args[0])


def _set_of(args: tuple, charge: Callable[[int], None]) -> set:
    elements = _elements(args, charge)
    if len(elements) > MAX_DICT_ITEMS or not all(is_plain_key(element) for element in elements):
        raise RefusedPickle("holds a set of things that cannot be in a set")
    return set(elements)


def _dict_of(args: tuple, charge: Callable[[int], None]) -> dict:
    """A dict from (), from a list of pairs, or from a dict (OrderedDict, Counter)."""
    if args and isinstance(args[0], dict):
        charge(64 * len(args[0]))
        return dict(args[0])
    made = {}
    for pair in _elements(args, charge):
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not is_plain_key(pair[0]):
            raise RefusedPickle("holds a dictionary of things that are no pairs")
        made[pair[0]] = pair[1]
    if len(made) > MAX_DICT_ITEMS:
        raise RefusedPickle(f"holds a dictionary of more than {MAX_DICT_ITEMS} items")
    return made


def _default_dict(args: tuple, charge: Callable[[int], None]) -> dict:
    return {}


def _inert_instance(args: tuple, charge: Callable[[int], None]) -> object:
    """copyreg._reconstructor(class, base, state) and copyreg.__newobj__(class, ...)."""
    if not args or not isinstance(args[0], InertClass):
        raise RefusedPickle("rebuilds an instance of something that is no harmless class")
    return instance_of(args[0], ())


def instance_of(cls: InertClass, args: tuple) -> InertObject:
    """A stand-in for an instance."""
    kind = SparseMatrix if _SPARSE.fullmatch(cls.class_name) else InertObject
    return kind(cls.class_name, args)


def _complex(args: tuple, charge: Callable[[int], None]) -> complex:
    if len(args) != 2 or not all(type(part) is float for part in args):
        raise RefusedPickle("holds a damaged number")
    return complex(*args)


_BUILDERS: dict[str, Callable[[tuple, Callable[[int], None]], object]] = {
    "numpy.core.multiarray._reconstruct": _new_array,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _array_from_buffer,
    "numpy.dtype": _dtype,
    "_codecs.encode": _latin1_bytes,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.set": _set_of,
    "builtins.frozenset": lambda args, charge: frozenset(_set_of(args, charge)),
    "builtins.list": _elements,
    "builtins.tuple": lambda args, charge: tuple(_elements(args, charge)),
    "builtins.dict": _dict_of,
    "builtins.complex": _complex,
    "collections.OrderedDict": _dict_of,
    "collections.Counter": _dict_of,
    "collections.defaultdict": _default_dict,
    "collections.deque": _elements,
    "copyreg._reconstructor": _inert_instance,
    "copyreg.__newobj__": _inert_instance,
}
NUMPY_CONSTRUCTORS = {name: Constructor(name, build) for name, build in _BUILDERS.items()}


def find_global(module: str, name: str, more: dict[str, object]) -> object:
    """The constructor or stand-in of the global `module.name`.

    Args:
        module: as the file writes it.
        name: as the file writes it; dots reach into a class.
        more: further globals that this kind of file may build, beside numpy's and the containers.

    Raises:
        RefusedPickle: naming the global, if it is neither allowed nor a harmless class.
    """
    module = _OLD_NAMES.get(module, module)
    module = module.replace("numpy._core", "numpy.core", 1) if module.startswith("numpy._core") else module
    full_name = f"{module}.{name}"
    if full_name in more:
        return more[full_name]
    if full_name in NUMPY_CONSTRUCTORS:
        return NUMPY_CONSTRUCTORS[full_name]
    if module == "builtins" and name in _PLAIN_TYPES:
        return InertClass(full_name)
    if full_name in ("numpy.ndarray", "numpy.matrix", "numpy.memmap") or full_name in _INERT_LOWER_CASE:
        return InertClass(full_name)
    if full_name in ("numpy.matrixlib.defmatrix.matrix", "numpy.core.memmap.memmap") or _SPARSE.fullmatch(full_name):
        return InertClass(full_name)
    attributes = name.split(".")
    is_dangerous = module.split(".")[0] in DANGEROUS_MODULES or not DANGEROUS_MODULES.isdisjoint(attributes[:-1])
    is_class = re.fullmatch(r"_*[A-Z]\w*", attributes[-1]) and re.fullmatch(r"[\w.]+", module)
    if is_dangerous or not is_class:
        raise RefusedPickle(f"asks for {full_name[:120]!r}, which can run code and which no model or head file needs")
    return InertClass(full_name)
