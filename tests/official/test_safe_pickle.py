"""Pickles of friends are read, pickles of enemies are refused by name, and nothing of either runs."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import sys
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from counted_steps import counted_steps
from hostile_pickles import CANARY, Evil, nothing_runs  # noqa: F401
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emote_blender.errors import InputError
from emote_blender.official.pickle_reader import (
    InertObject,
    SparseMatrix,
    array_of,
    load_npy_object,
    load_pickle,
    load_torch,
)
from emote_blender.official.pickle_reader.machine import PickleMachine


def written(tmp_path: Path, content: bytes, name: str = "model.pkl") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def refused(tmp_path, content: bytes, *words: str, load=load_pickle, name: str = "model.pkl") -> None:
    """Assert that `content` is refused in one sentence with these words."""
    path = written(tmp_path, content, name)
    with pytest.raises(InputError) as caught:
        load(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


GLOBALS = """os.system posix.system nt.system subprocess.Popen subprocess.check_output builtins.eval builtins.exec
builtins.getattr builtins.setattr builtins.__import__ builtins.open builtins.compile builtins.globals builtins.map
builtins.print importlib.import_module importlib.machinery.SourceFileLoader sys.exit sys.modules runpy._run_code
runpy.run_path shutil.rmtree socket.socket ctypes.CDLL ctypes.cdll pickle.loads _pickle.loads marshal.loads
types.FunctionType types.CodeType functools.partial functools.reduce operator.attrgetter operator.methodcaller
_operator.attrgetter webbrowser.open pty.spawn timeit.timeit pdb.run code.InteractiveInterpreter multiprocessing.Process
threading.Thread codecs.encode codecs.decode _codecs.decode copyreg.__reduce_ex__ copyreg.add_extension io.open _io.open
_io.FileIO tempfile.mkstemp builtins.type.__subclasses__ builtins.object.__reduce__ builtins.help builtins.input
builtins.breakpoint builtins.vars numpy.load numpy.fromfile numpy.memmap.tofile numpy.lib.npyio.load
numpy.testing._private.utils.runstring numpy.f2py.crackfortran.myeval numpy.core.multiarray.fromfile
torch.load torch.os.system torch.hub.load torch.serialization.os.system torch.jit.load torch._utils.sys.exit
torch.storage._load_from_bytes torch.utils.data.dataloader.os.system pytorch_lightning.utilities.seed.os.environ
scipy.sparse.load_npz scipy.io.loadmat chumpy.ch.pickle.loads chumpy.utils.timer bpy.ops.wm.quit_blender
omegaconf.OmegaConf.create joblib.load cloudpickle.loads dill.loads yaml.unsafe_load pkgutil.resolve_name
asyncio.run concurrent.futures.ProcessPoolExecutor inspect.getattr_static linecache.getlines trace.Trace
cProfile.run profile.run bdb.Bdb logging.FileHandler urllib.request.urlopen http.client.HTTPConnection""".split()


@pytest.mark.parametrize("name", GLOBALS)
def test_a_global_that_could_run_code_is_refused_by_name(tmp_path, name):
    module, _, function = name.rpartition(".")
    content = f"c{module}\n{function}\n(S'touch canary'\ntR.".encode()
    refused(tmp_path, content, name, "nothing of it was run")


@pytest.mark.parametrize("name", ["os.system", "posix.system", "builtins.eval", "subprocess.Popen", "types.CodeType"])
@pytest.mark.parametrize("form", ["instance", "object", "stack global", "reached from torch", "new object", "unused"])
def test_every_way_to_name_a_global_is_refused(tmp_path, name, form):
    module, _, function = name.rpartition(".")
    content = {
        "instance": f"(S'touch canary'\ni{module}\n{function}\n.".encode(),
        "object": f"(c{module}\n{function}\nS'touch canary'\no.".encode(),
        "stack global": b"\x80\x04" + text(module) + text(function) + b"\x93" + text("touch canary") + b"\x85R.",
        "reached from torch": b"\x80\x04" + text("torch") + text(name) + b"\x93" + text("touch canary") + b"\x85R.",
        "new object": f"c{module}\n{function}\n(S'touch canary'\nt\x81.".encode("latin-1"),
        "unused": f"c{module}\n{function}\n0N.".encode(),
    }[form]
    refused(tmp_path, content, name)


@pytest.mark.parametrize(
    "evil, name",
    [
        (Evil(os.system, "touch canary"), f"{os.name}.system" if os.name == "nt" else "posix.system"),
        (Evil(exec, f"import os; os.environ['{CANARY}'] = '1'"), "builtins.exec"),
        (Evil(getattr, os, "system"), None),
        (Evil(__import__, "this"), "builtins.__import__"),
        (Evil(map, Evil(print, 1)), None),
    ],
)
def test_what_pickle_itself_writes_of_an_attack_is_refused(tmp_path, evil, name):
    try:
        content = pickle.dumps({"v_template": np.zeros(3), "x": evil})
    except TypeError:  # a module cannot be pickled: write what an attacker would
        content, name = b"cbuiltins\ngetattr\n(cos\nsystem\ntR.", "builtins.getattr"
    refused(tmp_path, content, name or "builtins.")


def test_the_attack_that_these_tests_use_works_on_the_standard_unpickler(monkeypatch):
    pickle.loads(pickle.dumps(Evil(exec, f"import os; os.environ['{CANARY}'] = '1'")))
    assert os.environ.pop(CANARY) == "1"


def test_a_stand_in_keeps_its_arguments_and_does_nothing_with_them(tmp_path):
    content = b"cpytorch_lightning.callbacks\nModelCheckpoint\n(S'touch canary'\ntR(S'dirpath'\nS'/tmp'\ndb."
    value = load_pickle(written(tmp_path, content))
    assert isinstance(value, InertObject)
    assert value.class_name == "pytorch_lightning.callbacks.ModelCheckpoint"
    assert value.args == ("touch canary",)
    assert value.state == {"dirpath": "/tmp"}


def test_calling_a_stand_in_is_refused(tmp_path):
    refused(tmp_path, b"comegaconf\nDictConfig\n(tR(S'x'\ntR.", "calls a InertObject")


def test_a_chain_of_reduces_is_refused_at_its_first_link(tmp_path):
    refused(tmp_path, b"cnumpy\ndtype\n(S'f4'\ntR(S'x'\ntR.", "calls a DTypeState")


def test_a_state_with_a_setstate_entry_is_kept_and_never_called(tmp_path):
    content = b"comegaconf\nDictConfig\n(tR(S'__setstate__'\ncos\nsystem\ndb(S'x'\ntb."
    refused(tmp_path, content, "os.system")
    value = load_pickle(written(tmp_path, b"comegaconf\nDictConfig\n(tR(S'__setstate__'\nS'x'\ndbS'touch'\nb."))
    assert value.state == "touch"


def test_a_state_for_a_class_is_refused(tmp_path):
    refused(tmp_path, b"comegaconf\nDictConfig\n(S'__init__'\nS'x'\ndb.", "state of a InertClass")


@pytest.mark.parametrize("opcode", [b"\x82\x01", b"\x83\x01\x01", b"\x84\x01\x01\x01\x01"])
def test_extension_codes_are_refused(tmp_path, opcode):
    refused(tmp_path, b"\x80\x02" + opcode + b".", "extension code")


@pytest.mark.parametrize("content", [b"Pos.system\n.", b"X\x01\x00\x00\x00xQ.", b"\x80\x05\x97.", b"\x80\x05\x98."])
def test_references_to_outside_data_are_refused(tmp_path, content):
    refused(tmp_path, content, "outside the file")


@pytest.mark.parametrize(
    "content",
    [
        b"X\xff\xff\xff\xff",
        b"T\xff\xff\xff\x7fabc",
        b"\x80\x04\x8d" + b"\xff" * 8,
        b"\x80\x04\x8e\x00\x00\x00\x00\x01\x00\x00\x00",
        b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f",
        b"B\x00\x00\x00\xf0.",
        b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
    ],
)
def test_a_text_of_four_gigabytes_that_is_not_there_is_refused(tmp_path, content):
    refused(tmp_path, content, "ends too early")


@pytest.mark.parametrize(
    "content, words",
    [
        (b"(" * 2000 + b".", "nests"),
        (b"N" * 300_000 + b".", "nests"),
        (b"]" * 2000 + b"a" * 1999 + b".", "nests deeper"),
        (b")" + b"\x85" * 5000 + b".", "nests deeper"),
        (b"Np2000000000\n" + b"Nr\x00\x00\x00\x00" * 10, "ends too early"),
        (b"N0" * 600_000 + b"N.", "instructions"),
        (b"L" + b"9" * 1000 + b"L\n.", "too long"),
        (b"\x8b\xff\xff\xff\x7f.", "integer"),
        (b"\x8a\xff" + b"\xff" * 255 + b".", "integer"),
        (b"0.", "not there"),
        (b"\x85.", "not there"),
        (b"(\x85.", "not there"),
        (b"t.", "never opened"),
        (b"h\x05.", "damaged"),
        (b"\xee.", "unknown instruction"),
        (b"\x80\x09N.", "protocol 9"),
        (b"NN.", "middle of a value"),
        (b"", "empty"),
    ],
)
def test_stack_memo_and_instruction_bombs_are_refused(tmp_path, content, words):
    refused(tmp_path, content, words)


def test_a_key_whose_hash_takes_forever_is_refused(tmp_path):
    # Each tuple holds the one before twice: 2 ** 60 elements to hash, in 300 bytes.
    content = b"}" + b"K\x01" + b"2\x86" * 60 + b"Ns."
    refused(tmp_path, content, "key")


def test_keys_whose_hashes_collide_take_bounded_time(tmp_path):
    modulus = sys.hash_info.modulus
    keys = b"".join(pickle.dumps(k * modulus, 2)[2:-1] + b"N" for k in range(12_000))
    with pytest.raises(InputError, match="items"):
        load_pickle(written(tmp_path, b"}(" + keys + b"u."))


def test_copies_of_copies_are_refused(tmp_path):
    big = b"B" + struct.pack("<I", 1 << 20) + bytes(1 << 20)
    content = big + b"q\x000" + b"(" + b"cbuiltins\nbytes\nh\x00\x85R" * 1000 + b"t."
    refused(tmp_path, content, "memory")


def test_a_number_does_not_become_that_many_bytes(tmp_path):
    refused(tmp_path, b"cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.")


def array_pickle(shape: bytes, dtype: bytes, state: bytes, raw: bytes) -> bytes:
    """The pickle of an array with these parts."""
    head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    return head + b"(K\x01" + shape + b"cnumpy\ndtype\n(" + dtype + b"K\x00K\x01tR" + state + b"\x89" + raw + b"tb."


LITTLE = b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


@pytest.mark.parametrize(
    "content, words",
    [
        (array_pickle(b"(J\xff\xff\xff\x7ft", b"U\x02f4", LITTLE, b"U\x04abcd"), "shape"),
        (array_pickle(b"(J\xff\xff\xff\xfft", b"U\x02f4", LITTLE, b"U\x04abcd"), "absurd shape"),
        (array_pickle(b"(K\x01G?\xf0\0\0\0\0\0\0t", b"U\x02f4", LITTLE, b"U\x04abcd"), "absurd shape"),
        (array_pickle(b"(" + b"K\x01" * 40 + b"t", b"U\x02f4", LITTLE, b"U\x04abcd"), "without a shape"),
        (array_pickle(b"(K\x00\x8a\x08" + b"\xff" * 7 + b"\x7ft", b"U\x02f4", LITTLE, b"U\x00"), "absurd shape"),
        (array_pickle(b"(K\x01t", b"U\x02V8", LITTLE, b"U\x08abcdefgh"), "number type"),
        (array_pickle(b"(K\x01t", b"U\x02O8", LITTLE, b"U\x08abcdefgh"), "objects"),
        (array_pickle(b"(K\x02t", b"U\x02O8", LITTLE, b"]"), "shape"),
        (array_pickle(b"(J\xff\xff\xff\x7ft", b"U\x02S0", LITTLE, b"U\x00"), "number type"),
        (array_pickle(b"(K\x01t", b"U\x06f4,f4,", LITTLE, b"U\x08abcdefgh"), "number type"),
        (array_pickle(b"(K\x01t", b"U\x02f4", LITTLE.replace(b"NNN", b"NU\x01x}"), b"U\x04abcd"), "records"),
        (array_pickle(b"(K\x01t", b"U\x02f4", b"K\x05b", b"U\x04abcd"), "number type"),
        (array_pickle(b"(K\x01t", b"U\x02f4", LITTLE, b"N"), "without its values"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(ccollections\nOrderedDict\n(K\x00tU\x01btR.", "unknown class"),
        (b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02O8K\x00K\x01tRU\x08abcdefghtR.", "damaged number"),
    ],
)
def test_arrays_whose_parts_do_not_fit_are_refused(tmp_path, content, words):
    refused(tmp_path, content, words)


def test_an_object_array_may_not_hide_a_call(tmp_path):
    content = array_pickle(b"(K\x01t", b"U\x02O8", LITTLE, b"(cos\nsystem\nS'touch canary'\n\x85Rl")
    refused(tmp_path, content, "os.system")


def test_an_array_is_filled_once(tmp_path):
    content = array_pickle(b"(K\x01t", b"U\x02f4", LITTLE, b"U\x04abcd")[:-1]
    state = b"(K\x01(K\x01tcnumpy\ndtype\n(U\x02f4K\x00K\x01tR" + LITTLE + b"\x89U\x04efghtb."
    value = load_pickle(written(tmp_path, content + state))
    assert value.tobytes() == b"abcd"


# Friends


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_come_back_as_they_were(tmp_path, protocol):
    value = {
        "f": np.arange(12, dtype=np.uint32).reshape(4, 3),
        "v": np.linspace(0, 1, 12).reshape(4, 3, order="F"),
        "big": np.arange(4, dtype=">i4"),
        "names": np.array(["jaw", "neck"]),
        "objects": np.array([None, "a", 3], dtype=object),
        "flag": [True, False, None, -1, 2**40, 1.5, "café", b"\x00\xff", (), (1, 2, 3, 4)],
        "scalar": np.float32(2.5),
        "set": {1, 2},
        "frozen": frozenset({3}),
        "ordered": collections.OrderedDict([("a", 1), ("b", 2)]),
        "default": collections.defaultdict(list, {"a": [1]}),
        5: {},
    }
    loaded = load_pickle(written(tmp_path, pickle.dumps(value, protocol)))
    assert set(loaded) == set(value)
    for name, expected in value.items():
        np.testing.assert_array_equal(loaded[name], expected) if isinstance(expected, np.ndarray) else None
        assert isinstance(expected, np.ndarray) or loaded[name] == expected


def test_a_python_2_pickle_comes_as_latin_1_text(tmp_path):
    array = array_pickle(b"(K\x02t", b"U\x02f4", LITTLE, b"U\x08" + np.array([1, -2], "<f4").tobytes())[:-1]
    assert load_pickle(written(tmp_path, array + b".")).tolist() == [1.0, -2.0]
    assert load_pickle(written(tmp_path, b"(dp0\nS'bs\\xe9'\np1\nV\\u00e9\np2\ns.")) == {"bsé": "é"}


def test_sparse_matrices_of_old_and_new_module_paths_become_dense(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.random.default_rng(0).integers(0, 3, (5, 7)).astype(float)
    for kind in ("csc", "csr", "coo"):
        for module in (f"scipy.sparse._{kind}", f"scipy.sparse.{kind}"):
            content = pickle.dumps(getattr(sparse, f"{kind}_matrix")(dense), 2)
            content = content.replace(f"scipy.sparse._{kind}\n".encode(), f"{module}\n".encode())
            loaded = load_pickle(written(tmp_path, content))
            assert isinstance(loaded, SparseMatrix)
            np.testing.assert_array_equal(loaded.toarray(), dense)


@pytest.mark.parametrize(
    "change",
    [
        {"_shape": (1 << 30, 1 << 30)},
        {"_shape": (5,)},
        {"indices": np.array([0, 9])},
        {"indices": np.array([0, -1])},
        {"indptr": np.array([0, 5, 2])},
        {"indptr": np.array([0, 1])},
        {"data": np.array([1.0])},
        {"data": None},
    ],
)
def test_a_sparse_matrix_whose_parts_do_not_fit_is_refused(change):
    state = {"_shape": (3, 2), "data": np.ones(2), "indices": np.array([0, 2]), "indptr": np.array([0, 1, 2])}
    good = SparseMatrix("scipy.sparse.csc_matrix", state=state)
    assert good.toarray().tolist() == [[1, 0], [0, 0], [0, 1]]
    with pytest.raises(ValueError, match="sparse matrix"):
        SparseMatrix("scipy.sparse.csc_matrix", state={**state, **change}).toarray()


def test_the_numbers_of_chumpy_stand_ins_can_be_read():
    numbers = np.arange(6.0).reshape(2, 3)
    source = InertObject("chumpy.ch.Ch", state={"x": numbers, "_dirty_vars": set()})
    assert array_of(source) is numbers
    selected = {"a": source, "idxs": np.array([0, 5]), "preferred_shape": (2, 1)}
    assert array_of(InertObject("chumpy.reordering.Select", state=selected)).tolist() == [[0], [5]]
    assert array_of(InertObject("chumpy.ch.Ch", state={"x": "nothing"})) is None


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_files_of_every_version_come_back_as_they_were(tmp_path, version):
    for array in (np.arange(6, dtype=">f8").reshape(2, 3), np.asfortranarray(np.eye(3, 2)), np.float32(3)):
        with open(tmp_path / "a.npy", "wb") as file:
            np.lib.format.write_array(file, np.asarray(array), version=version)
        np.testing.assert_array_equal(load_npy_object(tmp_path / "a.npy"), array)


def test_npy_and_npz_files_of_objects_come_back_as_they_were(tmp_path):
    np.save(tmp_path / "a.npy", np.array({"static": np.arange(3)}, dtype=object), allow_pickle=True)
    assert load_npy_object(tmp_path / "a.npy")["static"].tolist() == [0, 1, 2]
    np.savez_compressed(tmp_path / "b.npz", f=np.eye(2), names=np.array(["a", None], dtype=object))
    loaded = load_npy_object(tmp_path / "b.npz")
    assert loaded["f"].tolist() == [[1, 0], [0, 1]]
    assert loaded["names"].tolist() == ["a", None]


def test_an_attack_inside_an_npy_or_npz_file_is_refused(tmp_path):
    evil = np.array([Evil(exec, f"import os; os.environ['{CANARY}'] = '1'")], dtype=object)
    buffer = io.BytesIO()
    np.save(buffer, evil, allow_pickle=True)
    refused(tmp_path, buffer.getvalue(), "builtins.exec", load=load_npy_object, name="a.npy")
    buffer = io.BytesIO()
    np.savez(buffer, f=evil)
    refused(tmp_path, buffer.getvalue(), "builtins.exec", load=load_npy_object, name="a.npz")


@pytest.mark.parametrize(
    "header, words",
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}", "absurd shape|with 4 bytes"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "number type"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "absurd shape"),
        ("{'descr': '<f4', 'fortran_order': False}", "header"),
        ("__import__('os').system('touch canary')", "damaged"),
        ("(" * 5000, "damaged"),
    ],
)
def test_npy_headers_that_lie_are_refused(tmp_path, header, words):
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"abcd"
    with pytest.raises(InputError, match=words):
        load_npy_object(written(tmp_path, content, "a.npy"))


def test_a_zip_that_unpacks_to_an_absurd_size_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("f.npy", "w") as file:
        for _ in range(40):
            file.write(bytes(1 << 20))
    content = bytearray(path.read_bytes())
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 0xF0000000)
    refused(tmp_path, bytes(content), "absurd size", load=load_npy_object, name="bomb.npz")
    content[place + 24 : place + 28] = struct.pack("<I", 1000)
    refused(tmp_path, bytes(content), load=load_npy_object, name="bomb.npz")


@pytest.mark.parametrize("name", ["../canary", "/canary", "a/../../canary", "..\\canary", "C:\\canary"])
def test_a_zip_entry_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    for suffix, load in (("npz", load_npy_object), ("ckpt", load_torch)):
        with zipfile.ZipFile(tmp_path / f"a.{suffix}", "w") as archive:
            archive.writestr("archive/data.pkl", b"N.")
            archive.writestr(name, b"x")
        with pytest.raises(InputError, match="leads out"):
            load(tmp_path / f"a.{suffix}")


def test_a_file_that_is_not_there_is_said(tmp_path):
    for load in (load_pickle, load_npy_object, load_torch):
        with pytest.raises(InputError, match="cannot be read"):
            load(tmp_path / "none.pkl")
        with pytest.raises(InputError, match="cannot be read"):
            load(tmp_path)


def sample_pickle() -> bytes:
    """A pickle with a bit of everything that a head file has."""
    parts = {
        "v": np.arange(30.0).reshape(10, 3),
        "f": np.arange(6, dtype=np.uint32),
        "bs": "lrotmin",
        "none": [1, None],
    }
    chumpy = b"cchumpy.ch\nCh\n)\x81}X\x01\x00\x00\x00x" + pickle.dumps(np.eye(3), 2)[2:-1] + b"sb"
    return b"\x80\x02}(X\x01\x00\x00\x00a" + pickle.dumps(parts, 2)[2:-1] + b"X\x01\x00\x00\x00c" + chumpy + b"u."


SAMPLES = [sample_pickle(), pickle.dumps({"a": np.eye(3), "o": collections.OrderedDict(a=1)}, 4)]


@pytest.mark.once
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(SAMPLES),
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from("set insert delete repeat".split()), st.binary(max_size=9))
    ),
)
def test_a_mutated_pickle_gives_a_value_or_a_refusal_in_bounded_steps(sample, mutations):
    from emote_blender.official.pickle_reader.inert import RefusedPickle

    content = bytearray(sample)
    for place, kind, piece in mutations:
        place %= len(content) + 1
        if kind == "set":
            content[place : place + len(piece)] = piece
        elif kind == "insert":
            content[place:place] = piece
        elif kind == "delete":
            del content[place : place + len(piece)]
        else:
            content[place:place] = content[place : place + 40] * 3

    def load() -> None:
        with suppress(RefusedPickle):
            PickleMachine(memoryview(bytes(content))).load()

    assert counted_steps(load) < 20_000 + 100 * len(content)


def test_a_refusal_takes_little_memory(tmp_path):
    path = written(tmp_path, array_pickle(b"(J\xff\xff\xff\x7ft", b"U\x02f8", LITTLE, b"U\x04abcd"))
    tracemalloc.start()
    with pytest.raises(InputError):
        load_pickle(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
