"""Read a pickle as plain values: nothing is imported, called or built.

A pickle is a program for a stack machine. Python's own machine imports what the program names and
calls it. This one has no such step: a name stays text, and whatever a pickle would build becomes
`INERT`, except for the few values that `Meaning` makes. `pickletools` splits the bytes.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any, Final, NamedTuple

MOST_OPCODES: Final = 500_000  # of one pickle; memory grows by some 100 bytes for each
MOST_MARKS: Final = 100  # open at once, which is how deep values are nested
_LATEST_PROTOCOL: Final = 5

Values = list[Any]


class NotConverted(Exception):
    """The file is not a checkpoint that can be converted."""


class Inert:
    """Stands for any object that is not known: it has no content and no effect."""

    __slots__ = ()


INERT: Final = Inert()


class Name(NamedTuple):
    """The name of a class or function, as text: module, a space, and the name inside it."""

    text: str


class Meaning(NamedTuple):
    """How a format reads its objects: a name with its arguments, and a persistent id.

    Both return plain values, or `INERT` for what they do not know.
    """

    called: Callable[[str, tuple[Any, ...]], Any]
    persistent: Callable[[Any], Any]


def _nothing(*_: object) -> Inert:
    return INERT


PLAIN: Final = Meaning(called=_nothing, persistent=_nothing)


def read_pickle(stream: IO[bytes], meaning: Meaning = PLAIN) -> Any:  # noqa: ANN401 - any value
    """Return the value of the pickle at the stream's position, and leave the stream at its end.

    Entries of dicts whose key is not text are dropped, and so are sets. Raises NotConverted if the
    pickle is malformed or exceeds a limit.
    """
    machine = _Machine(meaning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in a text that no checkpoint has
        return _run(machine, stream)


def _run(machine: _Machine, stream: IO[bytes]) -> Any:  # noqa: ANN401 - any value
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count >= MOST_OPCODES:
                raise NotConverted(f"its pickle has more than {MOST_OPCODES:,} opcodes")
            if opcode.name == "STOP":
                return machine.pop()
            machine.run(opcode.name, argument)
    except ValueError as error:  # pickletools: unknown opcodes, missing bytes, other text
        raise NotConverted(f"its pickle is damaged: {str(error)[:100]}") from error
    raise NotConverted("its pickle has no end")


@dataclass
class _Machine:
    meaning: Meaning
    stack: Values = field(default_factory=list)
    below: list[Values] = field(default_factory=list)  # the stacks under each open mark
    memo: dict[int, Any] = field(default_factory=dict)

    def run(self, opcode: str, argument: Any) -> None:  # noqa: ANN401 - as pickletools reads it
        if opcode in _PUSHED:
            self.stack.append(argument)
        elif opcode in _MADE:
            self.stack.append(_MADE[opcode]())
        elif opcode in _STEPS:
            _STEPS[opcode](self, argument)
        elif opcode not in _IGNORED:
            raise NotConverted(f"its pickle has the opcode {opcode}")

    def pop(self) -> Any:  # noqa: ANN401 - any value
        if not self.stack:
            raise NotConverted("its pickle takes from an empty stack")
        return self.stack.pop()

    def top(self) -> Any:  # noqa: ANN401 - any value
        if not self.stack:
            raise NotConverted("its pickle reads an empty stack")
        return self.stack[-1]

    def several(self, count: int) -> tuple[Any, ...]:
        return tuple(reversed([self.pop() for _ in range(count)]))

    def protocol(self, number: int) -> None:
        if number > _LATEST_PROTOCOL:
            raise NotConverted(f"its pickle has the protocol {number}")

    def mark(self, _: None) -> None:
        if len(self.below) >= MOST_MARKS:
            raise NotConverted(f"its pickle nests values more than {MOST_MARKS} deep")
        self.below.append(self.stack)
        self.stack = []

    def marked(self) -> Values:
        """Return what lies above the last mark, and remove both."""
        if not self.below:
            raise NotConverted("its pickle has no mark")
        above, self.stack = self.stack, self.below.pop()
        return above

    def drop_marked(self, _: None) -> None:
        self.marked()

    def drop(self, _: None) -> None:
        # As Python does it: without a value above the mark, the mark goes.
        if self.stack:
            self.stack.pop()
        else:
            self.marked()

    def repeat(self, _: None) -> None:
        self.stack.append(self.top())

    def put(self, index: int) -> None:
        if not 0 <= index < MOST_OPCODES:
            raise NotConverted(f"its pickle has a memo index beyond {MOST_OPCODES:,}")
        self.memo[index] = self.top()

    def memoize(self, _: None) -> None:
        self.put(len(self.memo))

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise NotConverted("its pickle reads a memo that it did not write")
        self.stack.append(self.memo[index])

    def append(self, _: None) -> None:
        value = self.pop()
        self.extend([value])

    def append_marked(self, _: None) -> None:
        self.extend(self.marked())

    def extend(self, values: Values) -> None:
        target = self.top()
        if isinstance(target, list):
            target.extend(values)
        elif target is not INERT:
            raise NotConverted("its pickle appends to what is no list")

    def set_item(self, _: None) -> None:
        self.update(list(self.several(2)))

    def set_marked(self, _: None) -> None:
        self.update(self.marked())

    def update(self, values: Values) -> None:
        target = self.top()
        if isinstance(target, dict):
            target.update(_entries(values))
        elif target is not INERT:
            raise NotConverted("its pickle sets entries of what is no dict")

    def dict_marked(self, _: None) -> None:
        entries = _entries(self.marked())
        self.stack.append(entries)

    def list_marked(self, _: None) -> None:
        values = self.marked()
        self.stack.append(values)

    def tuple_marked(self, _: None) -> None:
        values = tuple(self.marked())
        self.stack.append(values)

    def inert_marked(self, _: object) -> None:
        """Replace what lies above the mark by an object: INST, OBJ, FROZENSET."""
        self.marked()
        self.stack.append(INERT)

    def name(self, text: str) -> None:
        self.stack.append(Name(text))

    def name_of_two(self, _: None) -> None:
        module, inside = self.several(2)
        if not isinstance(module, str) or not isinstance(inside, str):
            raise NotConverted("its pickle has a name that is no text")
        self.stack.append(Name(f"{module} {inside}"))

    def call(self, _: None) -> None:
        target, arguments = self.several(2)
        if not isinstance(arguments, tuple):
            raise NotConverted("its pickle has arguments that are no tuple")
        known = isinstance(target, Name)
        self.stack.append(self.meaning.called(target.text, arguments) if known else INERT)

    def build(self, _: None) -> None:
        """Leave the object as it is: its state is dropped."""
        self.pop()
        self.top()

    def new(self, _: None) -> None:
        self.several(2)
        self.stack.append(INERT)

    def new_with_names(self, _: None) -> None:
        self.several(3)
        self.stack.append(INERT)

    def persistent(self, text: str) -> None:
        self.stack.append(self.meaning.persistent(text))

    def persistent_value(self, _: None) -> None:
        self.stack.append(self.meaning.persistent(self.pop()))


def _entries(values: Values) -> dict[str, Any]:
    """Pair keys with values. Keys are text alone: Python hashes it with a secret, unlike numbers.

    Many numbers of the same hash would make a dict slow.
    """
    if len(values) % 2:
        raise NotConverted("its pickle has a key without a value")
    pairs = zip(values[::2], values[1::2], strict=True)
    return {key: value for key, value in pairs if isinstance(key, str)}


_IGNORED: Final = frozenset({"FRAME"})
_PUSHED: Final = frozenset(
    {
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
        "STRING", "BINSTRING", "SHORT_BINSTRING",
        "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
        "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
    }
)  # fmt: skip
_MADE: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": lambda: INERT,
}
_STEPS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "PROTO": _Machine.protocol,
    "MARK": _Machine.mark,
    "POP": _Machine.drop,
    "POP_MARK": _Machine.drop_marked,
    "DUP": _Machine.repeat,
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.append_marked,
    "ADDITEMS": _Machine.append_marked,
    "LIST": _Machine.list_marked,
    "TUPLE": _Machine.tuple_marked,
    "TUPLE1": lambda machine, _: machine.stack.append(machine.several(1)),
    "TUPLE2": lambda machine, _: machine.stack.append(machine.several(2)),
    "TUPLE3": lambda machine, _: machine.stack.append(machine.several(3)),
    "DICT": _Machine.dict_marked,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_marked,
    "FROZENSET": _Machine.inert_marked,
    "INST": _Machine.inert_marked,
    "OBJ": _Machine.inert_marked,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name_of_two,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "NEWOBJ": _Machine.new,
    "NEWOBJ_EX": _Machine.new_with_names,
    "PERSID": _Machine.persistent,
    "BINPERSID": _Machine.persistent_value,
}
