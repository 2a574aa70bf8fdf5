"""PyTorch checkpoints written without PyTorch, opcode by opcode: small ones, and parts of bad ones.

The functions return the bytes of a pickle that leave one value on its stack.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Tensors = dict[str, Array]

PROTOCOL: Final = b"\x80\x02"
NONE: Final = b"N"
FALSE: Final = b"\x89"
END: Final = b"."
MAGIC: Final = 0x1950A86A20F9469CFC6C
RATE: Final = 16_000
BANDS: Final = 5
_KINDS: Final = {"f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long", "i4": "Int"}


def text(value: str) -> bytes:
    content = value.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def number(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(content)) + content


def name(module: str, inside: str) -> bytes:
    return f"c{module}\n{inside}\n".encode()


def tuple_of(*values: bytes) -> bytes:
    return b"(" + b"".join(values) + b"t"


def list_of(*values: bytes) -> bytes:
    return b"](" + b"".join(values) + b"e"


def dict_of(entries: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def called(target: bytes, *arguments: bytes) -> bytes:
    return target + tuple_of(*arguments) + b"R"


def numbers(*values: int) -> bytes:
    return tuple_of(*(number(value) for value in values))


def storage(key: str, length: int, *, kind: str = "Float", legacy: bool = False) -> bytes:
    fields = [text("storage"), name("torch", f"{kind}Storage"), text(key), text("cpu")]
    return tuple_of(*fields, number(length), *([NONE] if legacy else [])) + b"Q"


def tensor(
    of: bytes, shape: Sequence[int], strides: Sequence[int] | None = None, *, offset: int = 0
) -> bytes:
    """Return a view of a storage; by default its numbers follow each other, the last axis first."""
    if strides is None:
        strides = [int(np.prod(shape[axis + 1 :], dtype=int)) for axis in range(len(shape))]
    hooks = called(name("collections", "OrderedDict"))
    view = (number(offset), numbers(*shape), numbers(*strides), FALSE, hooks)
    return called(name("torch._utils", "_rebuild_tensor_v2"), of, *view)


def state(tensors: Tensors, *, legacy: bool = False) -> bytes:
    """Return an ordered dict of tensors, with a storage each: 0, 1, 2 …"""
    entries = b"".join(
        text(key)
        + tensor(
            storage(str(place), each.size, kind=_KINDS[each.dtype.str[1:]], legacy=legacy),
            each.shape,
        )
        for place, (key, each) in enumerate(tensors.items())
    )
    return called(name("collections", "OrderedDict")) + b"(" + entries + b"u"


def contents(tensors: Tensors) -> dict[str, bytes]:
    return {str(place): each.tobytes() for place, each in enumerate(tensors.values())}


def zipped(
    value: bytes, storages: Mapping[str, bytes] | None = None, *, folder: str = "archive"
) -> bytes:
    """Return a checkpoint in the zip format of a value without protocol and end."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(f"{folder}/data.pkl", PROTOCOL + value + END)
        for key, content in (storages or {}).items():
            archive.writestr(f"{folder}/data/{key}", content)
        archive.writestr(f"{folder}/version", "3\n")
    return target.getvalue()


def legacy(
    value: bytes,
    storages: Mapping[str, bytes] | None = None,
    *,
    magic: int = MAGIC,
    little_endian: bytes = b"\x88",
    width: int = 4,
) -> bytes:
    """Return a checkpoint in the format before that; its numbers have `width` bytes."""
    storages = storages or {}
    machine = dict_of({"protocol_version": number(1001), "little_endian": little_endian})
    keys = list_of(*(text(key) for key in storages))
    pickles = [number(magic), number(1001), machine, value, keys]
    return b"".join(
        [
            *(PROTOCOL + each + END for each in pickles),
            *(struct.pack("<q", len(each) // width) + each for each in storages.values()),
        ]
    )


def pyannet(*, seed: int = 0, classes: int = 3) -> Tensors:
    """Return the weights of a small PyanNet: 6 filters of 9 samples, 2 layers of 4."""
    noise = _noise(seed)
    prefix, half, hidden = "sincnet.conv1d.0.filterbank", 4, 4
    made = {
        f"{prefix}.low_hz_": np.linspace(30, 3000, 3, dtype=np.float32)[:, None],
        f"{prefix}.band_hz_": np.array([[200], [-800], [6000]], np.float32),
        f"{prefix}.window_": np.array(np.hamming(2 * half + 1)[:half], np.float32),
        f"{prefix}.n_": np.array([2 * np.pi * np.arange(-half, 0) / RATE], np.float32),
        "sincnet.conv1d.1.weight": noise(5, 6, 3),
        "sincnet.conv1d.1.bias": noise(5),
        "sincnet.conv1d.2.weight": noise(4, 5, 2),
        "sincnet.conv1d.2.bias": noise(4),
    }
    for norm, width in (("wav_norm1d", 1), ("norm1d.0", 6), ("norm1d.1", 5), ("norm1d.2", 4)):
        made |= {f"sincnet.{norm}.weight": noise(width), f"sincnet.{norm}.bias": noise(width)}
    made |= _lstm(noise, 4, hidden, layers=2, ends=("", "_reverse"))
    for layer, (wide, narrow) in (("linear.0", (8, 6)), ("linear.1", (6, 5))):
        made |= {f"{layer}.weight": noise(narrow, wide), f"{layer}.bias": noise(narrow)}
    return made | {"classifier.weight": noise(classes, 5), "classifier.bias": noise(classes)}


def ge2e(*, seed: int = 0) -> Tensors:
    """Return the weights of a small speaker encoder: 3 layers of 6, an embedding of 7."""
    noise = _noise(seed)
    made = {"similarity_weight": noise(1), "similarity_bias": noise(1)}
    made |= _lstm(noise, BANDS, 6, layers=3, ends=("",))
    return made | {"linear.weight": noise(7, 6), "linear.bias": noise(7)}


def _noise(seed: int) -> Any:
    random = np.random.default_rng(seed)
    return lambda *shape: np.asarray(random.standard_normal(shape), np.float32)


def _lstm(noise: Any, width: int, hidden: int, *, layers: int, ends: tuple[str, ...]) -> Tensors:
    made: Tensors = {}
    for layer in range(layers):
        for end in ends:
            each = f"l{layer}{end}"
            made |= {
                f"lstm.weight_ih_{each}": noise(4 * hidden, width),
                f"lstm.weight_hh_{each}": noise(4 * hidden, hidden),
                f"lstm.bias_ih_{each}": noise(4 * hidden),
                f"lstm.bias_hh_{each}": noise(4 * hidden),
            }
        width = hidden * len(ends)
    return made


def pyannet_value(tensors: Tensors, *, stride: int = 10, rate: int = RATE) -> bytes:
    """Return what pyannote saves: weights, settings, and objects of its own classes."""
    sincnet = dict_of({"stride": number(stride), "sample_rate": number(rate)})
    problem = called(name("pyannote.audio.core.task", "Problem"), number(2))
    task = name("pyannote.audio.core.task", "Specifications") + b")\x81" + dict_of({"x": problem})
    return dict_of(
        {
            "pyannote.audio": dict_of({"specifications": task + b"b"}),
            "state_dict": state(tensors),
            "hyper_parameters": dict_of({"sincnet": sincnet}),
        }
    )


def pyannet_file(**options: Any) -> bytes:
    """Return the small PyanNet as it is published: zipped."""
    tensors = pyannet(**options)
    return zipped(pyannet_value(tensors), contents(tensors))


def ge2e_file(**options: Any) -> bytes:
    """Return the small speaker encoder as it is published: in the legacy format."""
    tensors = ge2e(**options)
    value = dict_of({"step": number(7), "model_state": state(tensors, legacy=True)})
    return legacy(value, contents(tensors))
