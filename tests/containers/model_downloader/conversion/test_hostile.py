"""A hostile or damaged checkpoint ends in WeightsMismatch; it executes nothing and stays small."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import time
import tracemalloc
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from containers.model_downloader.conversion import checkpoint, files, pickled
from containers.model_downloader.conversion.converters import convert
from pipeline.errors import WeightsMismatch
from tests.checkpoints import (
    END,
    FALSE,
    NONE,
    PROTOCOL,
    called,
    contents,
    dict_of,
    ge2e,
    ge2e_file,
    legacy,
    list_of,
    name,
    number,
    numbers,
    state,
    storage,
    tensor,
    text,
    tuple_of,
    zipped,
)

MOST_MEMORY: Final = 200 * 2**20
MOST_SECONDS: Final = 60
CANARY: Final = "MATTELINE_CANARY"
ESCAPE: Final = f"import os; os.environ['{CANARY}'] = 'dead'"


class Canary:
    """Sets the canary wherever a real unpickler rebuilds it."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return exec, (ESCAPE,)


def model(value: bytes) -> bytes:
    """Return a checkpoint whose weights are this value."""
    return zipped(dict_of({"model_state": value}))


def one_tensor(of: bytes) -> bytes:
    """Return a checkpoint with this tensor, and a storage of four numbers."""
    return zipped(dict_of({"model_state": dict_of({"linear.bias": of})}), {"0": bytes(16)})


def raw(opcodes: bytes) -> bytes:
    """Return a checkpoint whose pickle is these bytes."""
    return entries({"archive/data.pkl": opcodes})


def entries(content: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for path, each in content.items():
            archive.writestr(path, each)
    return target.getvalue()


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def encrypted() -> bytes:
    """Set the flag of encryption in all headers."""
    content = bytearray(zipped(dict_of({})))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + flags] |= 1
            place = content.find(signature, place + 4)
    return bytes(content)


def directory(count: int, size: int) -> bytes:
    """Return an archive whose end announces a directory of so many entries and bytes."""
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, 4, 0)
    return b"PK\x03\x04" + bytes(size) + end


def twice_named() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("archive/data.pkl", PROTOCOL + NONE + END)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("archive/data.pkl", PROTOCOL + NONE + END)
    return target.getvalue()


def wrong_checksum() -> bytes:
    content = PROTOCOL + dict_of({"model_state": text("abc")}) + END
    return patched(raw(content), struct.pack("<I", zlib.crc32(content)), b"\1\2\3\4")


def nested(depth: int) -> bytes:
    return b"(" * depth + b"l" * depth


def view(*, shape: bytes, strides: bytes, offset: bytes = number(0)) -> bytes:
    return called(
        name("torch._utils", "_rebuild_tensor_v2"), storage("0", 4), offset, shape, strides
    )


OS_SYSTEM: Final = called(name("os", "system"), text(f"echo; {CANARY}=dead"))
CALLS: Final = {
    "os.system": OS_SYSTEM,
    "builtins.eval": called(name("builtins", "eval"), text(ESCAPE)),
    "builtins.exec": called(name("builtins", "exec"), text(ESCAPE)),
    "__builtin__.apply": called(name("__builtin__", "apply"), name("os", "getcwd"), tuple_of()),
    "names with dots": b"\x8c\x02os\x8c\x0dsystem.__call\x93" + tuple_of(text("x")) + b"R",
    "a dotted name of torch": called(name("torch._utils", "sys.modules.clear")),
    "a name with spaces": called(name("builtins exec", "x y"), text(ESCAPE)),
    "copyreg._reconstructor": called(
        name("copyreg", "_reconstructor"), name("os", "x"), NONE, NONE
    ),
    "copyreg.add_extension": called(
        name("copyreg", "add_extension"), text("os"), text("system"), number(1)
    ),
    "getattr": called(name("builtins", "getattr"), name("os", "environ"), text("clear")),
    "INST": b"(" + text(ESCAPE) + b"ibuiltins\nexec\n",
    "OBJ": b"(" + name("builtins", "exec") + text(ESCAPE) + b"o",
    "NEWOBJ": name("subprocess", "Popen") + tuple_of(text("false")) + b"\x81",
    "NEWOBJ_EX": name("subprocess", "Popen") + tuple_of(text("false")) + b"}\x92",
    "BUILD": name("os", "environ") + dict_of({CANARY: text("dead")}) + b"b",
    "a call of what was called": called(OS_SYSTEM, text("x")),
    "numpy's loader": called(name("numpy.core.multiarray", "_reconstruct"), NONE, NONE, NONE),
    "torch.load": called(name("torch", "load"), text("/etc/passwd")),
    "an ordered dict of what runs": called(name("collections", "OrderedDict"), list_of(OS_SYSTEM)),
}
PICKLES: Final = {
    f"protocol {protocol}": pickle.dumps({"model_state": Canary()}, protocol)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}
OPCODES: Final = {
    "no end": PROTOCOL + NONE,
    "nothing": b"",
    "an end alone": END,
    "a pickle of tomorrow": b"\x80\x06N.",
    "an unknown opcode": b"\x80\x02\xff.",
    "an extension": b"\x80\x02\x82\x01.",
    "an out-of-band buffer": b"\x80\x05\x97.",
    "a text of 4 GB": b"\x80\x02X\xff\xff\xff\xff.",
    "bytes of 2**62": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".",
    "a number of 2 GB": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "a number of negative length": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "a number of 100,000 digits": b"L" + b"9" * 100_000 + b"L\n.",
    "a memo far away": b"\x80\x02Nr\xff\xff\xff\xff.",
    "a memo before the first": b"Np-1\n.",
    "a memo that nobody wrote": b"\x80\x02h\x07.",
    "a memo of nothing": b"\x80\x02q\x00.",
    "a mark that is not there": b"\x80\x02t.",
    "a tuple of an empty stack": b"\x80\x02\x87.",
    "a call with no tuple": PROTOCOL + name("os", "system") + text("x") + b"R.",
    "a name of two numbers": b"\x80\x04K\x01K\x02\x93.",
    "entries of a number": b"\x80\x02K\x01(K\x02K\x03u.",
    "items of a text": PROTOCOL + text("x") + b"(Ne.",
    "a key without a value": b"\x80\x02}(" + text("x") + b"u.",
    "a text that is no UTF-8": b"\x80\x02X\x02\x00\x00\x00\xc3\x28.",
    "marks nested deeply": PROTOCOL + nested(pickled.MOST_MARKS + 1) + END,
    "tuples nested deeply": PROTOCOL + NONE + b"\x85" * (pickled.MOST_OPCODES - 3) + END,
    "more opcodes than any has": PROTOCOL + b"N0" * (pickled.MOST_OPCODES // 2) + NONE + END,
    "a doubled value, again and again": PROTOCOL + b"N" + b"2\x86" * 200_000 + END,
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
}
IDS: Final = {
    "a persistent id of text": b"Pos.system\n",
    "a persistent id of a number": number(7) + b"Q",
    "a persistent id of another thing": tuple_of(text("file"), text("/etc/passwd")) + b"Q",
    "a storage that is a view": tuple_of(
        text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), number(4),
        tuple_of(text("1"), number(0), number(4)),
    ) + b"Q",
    "a storage whose type is text": tuple_of(
        text("storage"), text("torch FloatStorage"), text("0"), text("cpu"), number(4)
    ) + b"Q",
    "a storage outside its folder": storage("../../etc/passwd", 4),
    "a storage of negative length": storage("0", -1),
    "a storage of 2**70 numbers": storage("0", 2**70),
    "one storage of two lengths": tuple_of(storage("0", 4), storage("0", 5)),
    "one storage of two types": tuple_of(storage("0", 4), storage("0", 4, kind="Int")),
}  # fmt: skip
TENSORS: Final = {
    "a negative stride": tensor(storage("0", 4), (2,), (-1,), offset=3),
    "a negative size": tensor(storage("0", 4), (-2, -2), (1, 1)),
    "a negative offset": tensor(storage("0", 4), (2,), (1,), offset=-2),
    "an offset beyond the storage": tensor(storage("0", 4), (1,), (1,), offset=4),
    "a stride beyond the storage": tensor(storage("0", 4), (2,), (4,)),
    "more numbers than the storage": tensor(storage("0", 4), (5,), (1,)),
    "one number, repeated": tensor(storage("0", 4), (2**40,), (0,)),
    "sizes that overflow 64 bits": tensor(storage("0", 4), (2**33, 2**33), (0, 0)),
    "strides that overflow 64 bits": tensor(storage("0", 4), (2, 2), (2**62, 2**62)),
    "a stride too many": tensor(storage("0", 4), (2,), (1, 1)),
    "many axes": tensor(storage("0", 4), (1,) * 70, (1,) * 70),
    "a size that is true": view(shape=tuple_of(b"\x88"), strides=numbers(1)),
    "a size that is text": view(shape=tuple_of(text("4")), strides=numbers(1)),
    "a shape that is a list": view(shape=list_of(number(4)), strides=numbers(1)),
    "an offset that is nothing": view(shape=numbers(4), strides=numbers(1), offset=NONE),
    "a tensor of text": called(name("torch._utils", "_rebuild_tensor_v2"), text("0"), FALSE),
    "a storage beyond its bytes": tensor(storage("0", 5), (5,)),
    "a storage of fewer bytes": tensor(storage("0", 3), (3,)),
    "a storage that is not there": tensor(storage("1", 4), (4,)),
    "a storage of a type that is no number": tensor(storage("0", 4, kind="BFloat16"), (4,)),
    "a storage of a class that is not PyTorch's": tensor(storage("0", 4, kind="Evil"), (4,)),
}
WHOLE: Final[dict[str, Callable[[], bytes]]] = {
    "an empty file": lambda: b"",
    "a page of HTML": lambda: b"<!doctype html><title>404</title>",
    "zeros": lambda: bytes(2**20),
    "the first bytes of an archive": lambda: zipped(dict_of({}))[:40],
    "an archive without its end": lambda: zipped(dict_of({}))[:-30],
    "an archive without a pickle": lambda: entries({"archive/version": b"3"}),
    "a pickle at the top": lambda: entries({"data.pkl": PROTOCOL + NONE + END}),
    "a pickle in a parent folder": lambda: entries({"../../data.pkl": PROTOCOL + NONE + END}),
    "two pickles": lambda: entries(dict.fromkeys(("a/data.pkl", "b/data.pkl"), b"N.")),
    "two entries of one name": twice_named,
    "a pickle in a folder of a Windows path": lambda: entries({"a\\b/data.pkl": b"N."}),
    "a compressed pickle": lambda: entries(
        {"archive/data.pkl": b"N" * 10**7 + b"."}, compression=zipfile.ZIP_DEFLATED
    ),
    "a pickle of 17 MB": lambda: raw(PROTOCOL + text("x" * (files.MOST_PICKLED + 1)) + END),
    "an encrypted archive": encrypted,
    "another checksum": wrong_checksum,
    "a directory of 64,000 entries": lambda: directory(64_000, 100),
    "a directory of 5 MB": lambda: directory(9, 5 * 2**20),
    "a directory beyond the file": lambda: patched(
        zipped(dict_of({})), b"PK\x05\x06", b"PK\x05\x07"
    ),
    "a locator before the file": lambda: (
        b"PK\x03\x04" + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + directory(1, 0)[4:]
    ),
    "too many entries": lambda: entries({f"{n}": b"" for n in range(files.MOST_ENTRIES + 1)}),
    "numbers the other way round": lambda: entries(
        {"a/data.pkl": PROTOCOL + dict_of({}) + END, "a/byteorder": b"big"}
    ),
    "the weights are a list": lambda: model(list_of(number(1))),
    "the weights are text": lambda: model(text("weights")),
    "the root is a number": lambda: zipped(number(1)),
    "more tensors than any has": lambda: zipped(
        list_of(*[tensor(storage("0", 4), (4,))] * (checkpoint.MOST_TENSORS + 1)), {"0": bytes(16)}
    ),
    "legacy: another magic number": lambda: legacy(dict_of({}), magic=7),
    "legacy: numbers the other way round": lambda: legacy(dict_of({}), little_endian=FALSE),
    "legacy: cut in a storage": lambda: ge2e_file()[:-10],
    "legacy: cut in the pickle": lambda: ge2e_file()[:500],
    "legacy: a storage of another length": lambda: patched(
        ge2e_file(), struct.pack("<q", 7) + ge2e_file()[-28:], struct.pack("<q", 8) + bytes(28)
    ),
    "legacy: no keys": lambda: legacy(dict_of({"model_state": dict_of(
        {"x": tensor(storage("0", 4, legacy=True), (4,))})})),
    "legacy: a call": lambda: legacy(OS_SYSTEM),
    "a list of protocol 4, pickled by Python": lambda: pickle.dumps([1, 2, 3], 4),
}  # fmt: skip
CASES: Final[dict[str, Callable[[], bytes]]] = {
    **{f"call: {key}": partial(model, value) for key, value in CALLS.items()},
    **{f"pickle: {key}": partial(raw, value) for key, value in PICKLES.items()},
    **{f"bare: {key}": partial(bytes, value) for key, value in PICKLES.items()},
    **{f"opcodes: {key}": partial(raw, value) for key, value in OPCODES.items()},
    **{f"id: {key}": partial(model, value) for key, value in IDS.items()},
    **{f"tensor: {key}": partial(one_tensor, value) for key, value in TENSORS.items()},
    **WHOLE,
}


# What the message of a case must say: each of these guards has a case of its own.
REASONS: Final = {
    "opcodes: a pickle of tomorrow": "the protocol 6",
    "opcodes: an unknown opcode": "its pickle is damaged",
    "opcodes: an extension": "the opcode EXT1",
    "opcodes: an out-of-band buffer": "the opcode NEXT_BUFFER",
    "opcodes: an end alone": "takes from an empty stack",
    "opcodes: a memo far away": "a memo index beyond",
    "opcodes: a memo before the first": "a memo index beyond",
    "opcodes: a memo that nobody wrote": "a memo that it did not write",
    "opcodes: a memo of nothing": "reads an empty stack",
    "opcodes: a mark that is not there": "has no mark",
    "opcodes: a call with no tuple": "arguments that are no tuple",
    "opcodes: a name of two numbers": "a name that is no text",
    "opcodes: entries of a number": "sets entries of what is no dict",
    "opcodes: items of a text": "appends to what is no list",
    "opcodes: a key without a value": "a key without a value",
    "opcodes: marks nested deeply": "nests values more than 100 deep",
    "opcodes: more opcodes than any has": "more than 500,000 opcodes",
    "id: a persistent id of another thing": "refers to what is no storage",
    "id: a storage that is a view": "refers to what is no storage",
    "id: a storage outside its folder": "a bad key or length",
    "id: a storage of negative length": "a bad key or length",
    "id: a storage of 2**70 numbers": "a bad key or length",
    "id: one storage of two lengths": "described in two ways",
    "tensor: a negative stride": "that is no count",
    "tensor: a negative size": "that is no count",
    "tensor: a negative offset": "that is no count",
    "tensor: an offset beyond the storage": "beyond its storage",
    "tensor: a stride beyond the storage": "beyond its storage",
    "tensor: one number, repeated": "beyond its storage",
    "tensor: a stride too many": "a tensor of 1 axes",
    "tensor: many axes": "a tensor of 70 axes",
    "tensor: a size that is true": "that is no count",
    "tensor: a shape that is a list": "no view of a storage",
    "tensor: a storage beyond its bytes": "its storage 0 has 16 bytes",
    "tensor: a storage of fewer bytes": "its data/0 has 16 bytes",
    "tensor: a storage of a type that is no number": "no LSTM",
    "two pickles": "2 pickles called data.pkl",
    "two entries of one name": "two entries of one name",
    "a compressed pickle": "compressed or encrypted",
    "an encrypted archive": "compressed or encrypted",
    "a pickle of 17 MB": "16,777,216 may be",
    "a directory of 5 MB": "a directory of 5,242,880 bytes",
    "a locator before the file": "outside the file",
    "too many entries": "more than 20,000 entries",
    "numbers the other way round": "not little-endian",
    "the weights are a list": "not of the type dict",
    "more tensors than any has": "more than 10,000 tensors",
    "legacy: another magic number": "neither of PyTorch's formats",
    "legacy: numbers the other way round": "not little-endian",
    "legacy: cut in a storage": "ends outside the file",
    "legacy: a storage of another length": "another length than its pickle says",
    "legacy: no keys": "not those that its pickle names",
}


@pytest.fixture(autouse=True)
def canary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CANARY, "alive")


@pytest.fixture
def audited() -> list[str]:
    """Return the events that executing a pickle would cause, as they come."""
    _EVENTS.clear()
    return _EVENTS


_EVENTS: Final[list[str]] = []
_SUSPECT: Final = frozenset(
    {"os.system", "subprocess.Popen", "pickle.find_class", "os.exec", "os.posix_spawn"}
)


def _heard(event: str, _: object) -> None:
    if event in _SUSPECT:
        _EVENTS.append(event)


sys.addaudithook(_heard)


@pytest.mark.parametrize("case", CASES)
def test_it_ends_in_the_named_error_and_executes_nothing(
    tmp_path: Path, case: str, audited: list[str]
) -> None:
    path = tmp_path / "hostile.pt"
    path.write_bytes(CASES[case]())
    audited.clear()
    tracemalloc.start()
    started = time.monotonic()

    with pytest.raises(
        WeightsMismatch, match=r"hostile\.pt cannot be converted with ge2e"
    ) as ended:
        convert(path, "ge2e")

    assert REASONS.get(case, "") in ended.value.message
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_MEMORY
    assert time.monotonic() - started < MOST_SECONDS
    assert (audited, os.environ[CANARY]) == ([], "alive")
    assert [each.name for each in tmp_path.iterdir()] == ["hostile.pt"]


def test_there_is_a_case_for_each_reason() -> None:
    assert REASONS.keys() <= CASES.keys()


@pytest.mark.parametrize(
    ("limit", "most", "wrong"),
    [("MOST_NUMBERS", 500, "more than 500 numbers"), ("MOST_BYTES", 2000, "more than 2,000 bytes")],
)
def test_a_checkpoint_has_a_limit_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, wrong: str
) -> None:
    path = tmp_path / "large.pt"
    path.write_bytes(ge2e_file())
    monkeypatch.setattr(checkpoint, limit, most)

    with pytest.raises(WeightsMismatch, match=wrong):
        convert(path, "ge2e")


def test_entries_whose_key_is_no_text_are_dropped() -> None:
    entries = b"}(" + number(2**61 - 1) + NONE + text("x") + number(7) + NONE + FALSE + b"u"

    assert pickled.read_pickle(io.BytesIO(PROTOCOL + entries + END)) == {"x": 7}


def test_the_canary_dies_where_a_pickle_is_executed(audited: list[str]) -> None:
    """Otherwise a living canary would show nothing."""
    pickle.loads(PICKLES["protocol 2"])  # noqa: S301 - our own

    assert os.environ[CANARY] == "dead"
    assert audited == ["pickle.find_class"]


def test_every_object_beside_the_weights_may_be_hostile(tmp_path: Path) -> None:
    """What a checkpoint also has, such as its training's settings, is not looked at."""
    path = tmp_path / "x.pt"
    tensors = ge2e_file()
    hostile = list_of(*CALLS.values())
    path.write_bytes(patched(tensors, text("step") + number(7), text("step") + hostile))

    assert convert(path, "ge2e").path.is_file()
    assert os.environ[CANARY] == "alive"


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_checkpoint_is_converted_or_refused_by_name(tmp_path: Path, seed: int) -> None:
    dice, path = np.random.default_rng(seed), tmp_path / "damaged.pt"
    tensors = ge2e()
    whole = (
        ge2e_file(),
        zipped(dict_of({"model_state": state(tensors)}), contents(tensors)),
    )
    ends: Counter[str] = Counter()
    for number_of_try in range(40):
        content = bytearray(whole[number_of_try % 2])
        for _ in range(int(dice.choice([1, 2, 5]))):
            content[dice.integers(4, 5000)] = int(dice.integers(256))
        path.write_bytes(content)
        try:
            convert(path, "ge2e")
            ends["converted"] += 1
        except WeightsMismatch:
            ends["refused"] += 1
    assert ends["refused"] > 20
    assert ends.total() == 40


def test_a_tensor_of_a_type_that_is_not_known_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    known, other = tensor(storage("0", 4), (4,)), tensor(storage("1", 4, kind="BFloat16"), (4,))
    path.write_bytes(zipped(dict_of({"x": dict_of({"a": known, "b": other})}), {"0": bytes(16)}))

    with checkpoint.open_checkpoint(path) as opened:
        assert opened.tensors("x").keys() == {"a"}
