"""A pickle machine of our own: it reads the opcodes, builds plain values, and cannot call anything else.

The standard library's unpickler can restrict globals, but not depth, size or time. This machine counts opcodes, memory,
stack and nesting, and checks everything that it reads.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from .constructors import MAX_DICT_ITEMS, Constructor, DTypeState, fill_array, find_global, instance_of, is_plain_key
from .inert import InertClass, InertObject, RefusedPickle

MAX_OPCODES = 1_000_000
MAX_STACK = 200_000
MAX_MARKS = 1000
MAX_MEMO = 500_000
MAX_NESTING = 500
MAX_NAME_LENGTH = 500
MAX_NUMBER_TEXT = 400
MAX_INTEGER_BYTES = 64
SPARE_BYTES = 1 << 26
_HIGHEST_PROTOCOL = 5


class PickleMachine:
    """Runs the pickles of a buffer one after the other.

    Args:
        data: the file's bytes; a memory map keeps them out of memory.
        more: further globals that this kind of file may build, beside numpy's and the containers.
        persistent: gives the value of a persistent id; None if the file may hold none.
    """

    def __init__(
        self,
        data: memoryview,
        more: dict[str, object] | None = None,
        persistent: Callable[[object], object] | None = None,
    ):
        self.data = data
        self.position = 0
        self.more = more or {}
        self.persistent = persistent
        self.num_opcodes = 0
        self.bytes_left = 4 * len(data) + SPARE_BYTES

    def load(self) -> Any:
        """The value of the next pickle; `position` is behind it afterwards.

        Raises:
            RefusedPickle: if the file is damaged or absurd, or needs something that is not allowed.
        """
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        try:
            while True:
                opcode = self._take(1)[0]
                if opcode == ord("."):
                    if len(self.stack) != 1 or self.marks:
                        raise RefusedPickle("ends in the middle of a value")
                    value = self.stack.pop()
                    break
                self.num_opcodes += 1
                if self.num_opcodes > MAX_OPCODES:
                    raise RefusedPickle(f"has more than {MAX_OPCODES} instructions")
                handler = _HANDLERS.get(opcode)
                if handler is None:
                    raise RefusedPickle(f"has the unknown instruction {opcode:#04x} at byte {self.position - 1}")
                handler(self)
                if len(self.stack) > MAX_STACK or len(self.marks) > MAX_MARKS or len(self.memo) > MAX_MEMO:
                    raise RefusedPickle("nests or remembers more than any model or head does")
        except RefusedPickle:
            raise
        except (ValueError, TypeError, LookupError, OverflowError, MemoryError, struct.error) as error:
            raise RefusedPickle(f"is damaged at byte {self.position} ({type(error).__name__})") from error
        check_nesting(value)
        return value

    def charge(self, num_bytes: int) -> None:
        """Count memory before it is allocated; raises RefusedPickle beyond the limit."""
        self.bytes_left -= num_bytes
        if self.bytes_left < 0:
            raise RefusedPickle("asks for far more memory than its size")

    # Reading

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise RefusedPickle(f"ends too early, at byte {len(self.data)}")
        part = bytes(self.data[self.position : end])
        self.position = end
        return part

    def _line(self, limit: int | None = None) -> bytes:
        size = 256
        while True:
            window = bytes(self.data[self.position : self.position + (size if limit is None else min(size, limit + 1))])
            end = window.find(b"\n")
            if end >= 0:
                self.position += end + 1
                return window[:end]
            if len(window) < size:
                raise RefusedPickle("ends too early or has a line that is too long")
            size *= 4

    def _unsigned(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _sized(self, size: int) -> bytes:
        return self._take(self._unsigned(size))

    # The stack

    def _pop(self) -> Any:
        if not self.stack or (self.marks and len(self.stack) <= self.marks[-1]):
            raise RefusedPickle("takes a value that is not there")
        return self.stack.pop()

    def _top(self) -> Any:
        if not self.stack or (self.marks and len(self.stack) <= self.marks[-1]):
            raise RefusedPickle("takes a value that is not there")
        return self.stack[-1]

    def _pop_to_mark(self) -> list[Any]:
        if not self.marks:
            raise RefusedPickle("closes a list that it never opened")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def _pop_some(self, count: int) -> tuple:
        values = [self._pop() for _ in range(count)]
        return tuple(reversed(values))

    # Containers

    def _set_items(self, target: object, keys: list, values: list) -> None:
        items = target.items if isinstance(target, InertObject) else target
        if not isinstance(items, dict) or len(keys) != len(values):
            raise RefusedPickle("puts items into something that is no dictionary")
        for key, value in zip(keys, values):
            if not is_plain_key(key):
                raise RefusedPickle("has a dictionary whose key is neither text nor a number")
            items[key] = value
        if len(items) > MAX_DICT_ITEMS:
            raise RefusedPickle(f"holds a dictionary of more than {MAX_DICT_ITEMS} items")

    def _append_all(self, target: object, values: list) -> None:
        elements = target.elements if isinstance(target, InertObject) else target
        if not isinstance(elements, list):
            raise RefusedPickle("appends to something that is no list")
        elements.extend(values)

    def _add_all(self, target: object, values: list) -> None:
        if not isinstance(target, set) or not all(is_plain_key(value) for value in values):
            raise RefusedPickle("adds to something that is no set")
        target.update(values)
        if len(target) > MAX_DICT_ITEMS:
            raise RefusedPickle(f"holds a set of more than {MAX_DICT_ITEMS} items")

    # Objects

    def _find(self, module: object, name: object) -> object:
        if not isinstance(module, str) or not isinstance(name, str) or len(module) + len(name) > MAX_NAME_LENGTH:
            raise RefusedPickle("names a global in a way no pickle does")
        return find_global(module, name, self.more)

    def _call(self, function: object, args: object) -> object:
        """The result of calling `function`: a value of our constructors, or a stand-in for a class."""
        if not isinstance(args, tuple):
            raise RefusedPickle("calls something with arguments that are no list")
        if isinstance(function, Constructor):
            return function.build(args, self.charge)
        if isinstance(function, InertClass):
            return instance_of(function, args)
        raise RefusedPickle(f"calls a {type(function).__name__}, which is no class")

    def _build(self, state: object) -> None:
        target = self._top()
        if isinstance(target, InertObject):
            if isinstance(state, dict):
                self.charge(64 * (len(state) + (len(target.state) if isinstance(target.state, dict) else 0)))
            target.fill(state)
        elif isinstance(target, DTypeState):
            target.fill(state)
        elif type(target) is np.ndarray and target.dtype == np.int8 and target.shape == (0,):
            fill_array(target, state, self.charge)
        elif not isinstance(target, dict | np.ndarray):  # attributes of an OrderedDict or a tensor are left out
            raise RefusedPickle(f"sets the state of a {type(target).__name__}")


def check_nesting(value: object) -> None:
    """Raise RefusedPickle if containers are nested too deeply for our readers; loops do not count."""
    seen: set[int] = set()
    level = [value]
    for _ in range(MAX_NESTING):
        below: list[object] = []
        for item in level:
            if not isinstance(item, dict | list | tuple | InertObject) or id(item) in seen:
                continue
            seen.add(id(item))
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, InertObject):
                below += [item.args, item.state, item.items, item.elements]
            else:
                below.extend(item)
        if not below:
            return
        level = below
    raise RefusedPickle(f"nests deeper than {MAX_NESTING} levels")


_Handler = Callable[[PickleMachine], None]
_HANDLERS: dict[int, _Handler] = {}


def _on(opcodes: str) -> Callable[[_Handler], _Handler]:
    """Register a handler for these opcodes."""

    def register(handler: _Handler) -> _Handler:
        for opcode in opcodes:
            _HANDLERS[ord(opcode)] = handler
        return handler

    return register


def _on_value(opcode: str, read: Callable[[PickleMachine], object]) -> None:
    """Register an opcode that pushes the result of `read`."""
    _HANDLERS[ord(opcode)] = lambda machine: machine.stack.append(read(machine))


def _integer_line(machine: PickleMachine) -> int | bool:
    text = machine._line(MAX_NUMBER_TEXT)
    if text in (b"00", b"01"):
        return text == b"01"
    return int(text.rstrip(b"L"))


def _integer(machine: PickleMachine, size: int) -> int:
    count = machine._unsigned(size)
    if count > MAX_INTEGER_BYTES:
        raise RefusedPickle(f"holds an integer of {count} bytes")
    return int.from_bytes(machine._take(count), "little", signed=True)


def _quoted(machine: PickleMachine) -> str:
    """A Python 2 string: quoted, with escapes; its bytes become the characters 0 to 255."""
    text = machine._line().strip()
    if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in (b'"', b"'"):
        raise RefusedPickle("holds a text without quotes")
    machine.charge(2 * len(text))
    return codecs.escape_decode(text[1:-1])[0].decode("latin-1")


_on_value("N", lambda machine: None)
_on_value("\x88", lambda machine: True)
_on_value("\x89", lambda machine: False)
_on_value("I", _integer_line)
_on_value("L", _integer_line)
_on_value("J", lambda machine: struct.unpack("<i", machine._take(4))[0])
_on_value("K", lambda machine: machine._unsigned(1))
_on_value("M", lambda machine: machine._unsigned(2))
_on_value("\x8a", lambda machine: _integer(machine, 1))
_on_value("\x8b", lambda machine: _integer(machine, 4))
_on_value("F", lambda machine: float(machine._line(MAX_NUMBER_TEXT)))
_on_value("G", lambda machine: struct.unpack(">d", machine._take(8))[0])
_on_value("S", _quoted)
_on_value("T", lambda machine: machine._sized(4).decode("latin-1"))
_on_value("U", lambda machine: machine._sized(1).decode("latin-1"))
_on_value("V", lambda machine: str(machine._line(), "raw-unicode-escape"))
_on_value("X", lambda machine: machine._sized(4).decode("utf-8", "surrogatepass"))
_on_value("\x8c", lambda machine: machine._sized(1).decode("utf-8", "surrogatepass"))
_on_value("\x8d", lambda machine: machine._sized(8).decode("utf-8", "surrogatepass"))
_on_value("B", lambda machine: machine._sized(4))
_on_value("C", lambda machine: machine._sized(1))
_on_value("\x8e", lambda machine: machine._sized(8))
_on_value("\x96", lambda machine: machine._sized(8))  # a bytearray, kept as bytes
_on_value("]", lambda machine: [])
_on_value("}", lambda machine: {})
_on_value(")", lambda machine: ())
_on_value("\x8f", lambda machine: set())
_on_value("l", lambda machine: machine._pop_to_mark())
_on_value("t", lambda machine: tuple(machine._pop_to_mark()))
_on_value("\x85", lambda machine: machine._pop_some(1))
_on_value("\x86", lambda machine: machine._pop_some(2))
_on_value("\x87", lambda machine: machine._pop_some(3))
_on_value("2", lambda machine: machine._top())
_on_value("g", lambda machine: machine.memo[int(machine._line(MAX_NUMBER_TEXT))])
_on_value("h", lambda machine: machine.memo[machine._unsigned(1)])
_on_value("j", lambda machine: machine.memo[machine._unsigned(4)])


@_on("\x80")
def _protocol(machine: PickleMachine) -> None:
    if (protocol := machine._unsigned(1)) > _HIGHEST_PROTOCOL:
        raise RefusedPickle(f"is written in pickle protocol {protocol}, which this version cannot read")


@_on("\x95")
def _frame(machine: PickleMachine) -> None:
    if machine._unsigned(8) > len(machine.data) - machine.position:
        raise RefusedPickle(f"ends too early, at byte {len(machine.data)}")


@_on("(")
def _mark(machine: PickleMachine) -> None:
    machine.marks.append(len(machine.stack))


@_on("0")
def _pop(machine: PickleMachine) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine._pop()


@_on("1")
def _pop_mark(machine: PickleMachine) -> None:
    machine._pop_to_mark()


@_on("p")
def _put_text(machine: PickleMachine) -> None:
    machine.memo[int(machine._line(MAX_NUMBER_TEXT))] = machine._top()


@_on("q")
def _put(machine: PickleMachine) -> None:
    machine.memo[machine._unsigned(1)] = machine._top()


@_on("r")
def _put_long(machine: PickleMachine) -> None:
    machine.memo[machine._unsigned(4)] = machine._top()


@_on("\x94")
def _memoize(machine: PickleMachine) -> None:
    machine.memo[len(machine.memo)] = machine._top()


@_on("a")
def _append(machine: PickleMachine) -> None:
    value = machine._pop()
    machine._append_all(machine._top(), [value])


@_on("e")
def _appends(machine: PickleMachine) -> None:
    values = machine._pop_to_mark()
    machine._append_all(machine._top(), values)


@_on("\x90")
def _add_items(machine: PickleMachine) -> None:
    values = machine._pop_to_mark()
    machine._add_all(machine._top(), values)


@_on("\x91")
def _frozen_set(machine: PickleMachine) -> None:
    values: set = set()
    machine._add_all(values, machine._pop_to_mark())
    machine.stack.append(frozenset(values))


@_on("d")
def _dict(machine: PickleMachine) -> None:
    values = machine._pop_to_mark()
    made: dict = {}
    machine._set_items(made, values[::2], values[1::2])
    machine.stack.append(made)


@_on("s")
def _set_item(machine: PickleMachine) -> None:
    key, value = machine._pop_some(2)
    machine._set_items(machine._top(), [key], [value])


@_on("u")
def _set_items(machine: PickleMachine) -> None:
    values = machine._pop_to_mark()
    machine._set_items(machine._top(), values[::2], values[1::2])


@_on("c")
def _global(machine: PickleMachine) -> None:
    module, name = machine._line(MAX_NAME_LENGTH), machine._line(MAX_NAME_LENGTH)
    machine.stack.append(machine._find(module.decode("utf-8"), name.decode("utf-8")))


@_on("\x93")
def _stack_global(machine: PickleMachine) -> None:
    module, name = machine._pop_some(2)
    machine.stack.append(machine._find(module, name))


@_on("R")
def _reduce(machine: PickleMachine) -> None:
    function, args = machine._pop_some(2)
    machine.stack.append(machine._call(function, args))


@_on("\x81")
def _new_object(machine: PickleMachine) -> None:
    cls, args = machine._pop_some(2)
    machine.stack.append(machine._call(cls, args))


@_on("\x92")
def _new_object_with_names(machine: PickleMachine) -> None:
    cls, args, named = machine._pop_some(3)
    if not isinstance(cls, InertClass) or not isinstance(named, dict):
        raise RefusedPickle("makes an instance of something that is no harmless class")
    made = machine._call(cls, args)
    assert isinstance(made, InertObject)
    made.fill(named)
    machine.stack.append(made)


@_on("i")
def _instance(machine: PickleMachine) -> None:
    module, name = machine._line(MAX_NAME_LENGTH), machine._line(MAX_NAME_LENGTH)
    cls = machine._find(module.decode("utf-8"), name.decode("utf-8"))
    machine.stack.append(machine._call(cls, tuple(machine._pop_to_mark())))


@_on("o")
def _object(machine: PickleMachine) -> None:
    values = machine._pop_to_mark()
    if not values:
        raise RefusedPickle("makes an instance of nothing")
    machine.stack.append(machine._call(values[0], tuple(values[1:])))


@_on("b")
def _build(machine: PickleMachine) -> None:
    machine._build(machine._pop())


@_on("Q")
def _binary_persistent(machine: PickleMachine) -> None:
    if machine.persistent is None:
        raise RefusedPickle("refers to data outside the file (a persistent id)")
    machine.stack.append(machine.persistent(machine._pop()))


@_on("P")
def _text_persistent(machine: PickleMachine) -> None:
    raise RefusedPickle("refers to data outside the file (a persistent id)")


@_on("\x82\x83\x84")
def _extension(machine: PickleMachine) -> None:
    raise RefusedPickle("uses an extension code, which hides the name of what it calls")


@_on("\x97\x98")
def _outside_buffer(machine: PickleMachine) -> None:
    raise RefusedPickle("refers to data outside the file (a buffer)")
