"""Tensors of TensorFlow.js are read as their manifest says; a hostile one ends by name."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from containers.model_downloader.conversion import tfjs
from containers.model_downloader.conversion.converters import convert
from pipeline.errors import WeightsMismatch
from tests import published_faces
from tests.published_faces import manifest

MOST_MEMORY: Final = 50 * 2**20
CONTENT: Final = bytes(range(24))


def tensor(**fields: object) -> dict[str, Any]:
    """Return the description of a tensor that fits `CONTENT`, with other fields."""
    return {"name": "x", "shape": [2, 3], "dtype": "float32", **fields}


def steps(**fields: object) -> dict[str, Any]:
    """Return the description of a tensor of 24 quantised numbers, with other steps."""
    quantised = {"dtype": "uint8", "scale": 0.5, "min": -1, **fields}
    return tensor(shape=[24], quantization=quantised)


def groups(*each: object) -> bytes:
    return json.dumps(each).encode()


def raw(old: str, new: str) -> bytes:
    content = manifest(steps()).decode()
    assert old in content
    return content.replace(old, new).encode()


HOSTILE: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "nothing": (lambda: b"", "malformed"),
    "a page of HTML": (lambda: b"<!doctype html><title>404</title>", "malformed"),
    "bytes that are no UTF-8": (lambda: b'[{"weights": [{"name": "\xff"', "malformed"),
    "a manifest of 1 MB": (lambda: manifest(tensor()) + b" " * 2**20, "1,048,576 may be"),
    "lists nested deeply": (lambda: b"[" * 500_000, "malformed"),
    "objects nested deeply": (lambda: b'[{"weights":' * 50_000, "malformed"),
    "a number of 100,000 digits": (lambda: raw("24", "9" * 100_000), "malformed"),
    "an object at the top": (lambda: manifest(tensor())[1:-1], "valid array"),
    "no group": (groups, "at least 1 item"),
    "two groups": (lambda: groups(*json.loads(manifest(tensor())) * 2), "at most 1 item"),
    "two files": (
        lambda: groups({"weights": [tensor()], "paths": ["a.bin", "../b.bin"]}),
        "0.paths List should have at most 1 item",
    ),
    "no file": (lambda: groups({"weights": [tensor()], "paths": []}), "0.paths"),
    "no tensor": (manifest, "0.weights"),
    "1,001 tensors": (lambda: manifest(*[tensor()] * 1_001), "at most 1000 items"),
    "two tensors of one name": (
        lambda: manifest(tensor(shape=[3]), tensor(shape=[3])),
        "two tensors of one name",
    ),
    "a field that nobody knows": (lambda: manifest(tensor(fill=1)), "0.weights.0.fill"),
    "no name": (lambda: manifest({"shape": [6], "dtype": "float32"}), "0.weights.0.name"),
    "a name of 201 characters": (lambda: manifest(tensor(name="x" * 201)), "at most 200"),
    "a shape that is text": (lambda: manifest(tensor(shape="2,3")), "0.weights.0.shape"),
    "a size below 0": (lambda: manifest(tensor(shape=[-2, -3])), "greater than or equal to 1"),
    "a size of 0": (lambda: manifest(tensor(shape=[0, 3])), "greater than or equal to 1"),
    "a size of 2.0": (lambda: manifest(tensor(shape=[2.5, 3])), "valid integer"),
    "a size that is true": (lambda: manifest(tensor(shape=[True, 6])), "valid integer"),
    "a size of 2**70": (lambda: manifest(tensor(shape=[2**70])), "0.weights.0.shape.0"),
    "nine axes": (lambda: manifest(tensor(shape=[1] * 9)), "at most 8 items"),
    "sizes whose product is large": (
        lambda: manifest(tensor(shape=[2**26, 2**26, 2**26])),
        "more than 67,108,864 numbers",
    ),
    "tensors that are large together": (
        lambda: manifest(*(tensor(name=f"{place}", shape=[2**25]) for place in range(3))),
        "more than 67,108,864 numbers",
    ),
    "a type that is unknown": (lambda: manifest(tensor(dtype="string")), "0.weights.0.dtype"),
    "steps of another type": (lambda: manifest(steps(dtype="float16")), "quantization.dtype"),
    "steps that are no object": (lambda: manifest(tensor(quantization=[])), "quantization"),
    "a scale that is no number": (lambda: raw("0.5", "NaN"), "finite number"),
    "an infinite scale": (lambda: raw("0.5", "Infinity"), "finite number"),
    "a scale beyond double precision": (lambda: raw("0.5", "1e999"), "finite number"),
    "an infinite least value": (lambda: raw("-1", "-Infinity"), "finite number"),
    "a scale that is text": (lambda: manifest(steps(scale="0.5")), "quantization.scale"),
    "a scale that is true": (lambda: manifest(steps(scale=True)), "quantization.scale"),
    "a file that is too small": (lambda: manifest(tensor(shape=[7])), "describes 28"),
    "a file that is too large": (lambda: manifest(tensor(shape=[5])), "describes 20"),
    "no weights of the network": (lambda: manifest(tensor()), "has no tensor conv0/filters"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_manifest_ends_in_the_named_error(tmp_path: Path, case: str) -> None:
    build, reason = HOSTILE[case]
    path, described = tmp_path / "hostile.bin", tmp_path / "manifest.json"
    path.write_bytes(CONTENT)
    described.write_bytes(build())
    tracemalloc.start()

    with pytest.raises(WeightsMismatch, match=r"hostile\.bin cannot be converted with") as ended:
        convert(path, "face-api-tiny", described)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reason in ended.value.message
    assert len(ended.value.message) < 400
    assert peak < MOST_MEMORY
    assert sorted(each.name for each in tmp_path.iterdir()) == ["hostile.bin", "manifest.json"]


def test_a_file_of_tensors_without_a_manifest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(CONTENT)

    with pytest.raises(WeightsMismatch, match="it has no manifest"):
        convert(path, "face-api-tiny")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"scale": 1e38}, "not finite"),
        ({"scale": 1e308}, "not finite"),
        ({"scale": 1e300, "min": -1e308}, "not finite"),
    ],
)
def test_steps_that_make_numbers_beyond_float32_are_refused(
    tmp_path: Path, fields: dict[str, float], wrong: str
) -> None:
    tensors = published_faces.tensors("face-api-tiny")
    content, described = published_faces.published(tensors)
    value = json.loads(described)
    value[0]["weights"][0]["quantization"] |= fields
    (tmp_path / "x.bin").write_bytes(content)
    (tmp_path / "x.json").write_text(json.dumps(value))

    with pytest.raises(WeightsMismatch, match=wrong):
        convert(tmp_path / "x.bin", "face-api-tiny", tmp_path / "x.json")


def test_numbers_are_read_as_tensorflow_js_reads_them(tmp_path: Path) -> None:
    """Steps are added in double precision, and rounded once."""
    shorts, floats = np.array([0, 7, 65_535], "<u2"), np.array([1.5, -2.25], "<f4")
    wide = {"dtype": "uint16", "scale": 0.1, "min": 1e-7}
    (tmp_path / "x.bin").write_bytes(
        bytes([0, 1, 255]) + shorts.tobytes() + bytes(4) + floats.tobytes()
    )
    (tmp_path / "x.json").write_bytes(
        manifest(
            tensor(
                name="bytes", shape=[3], quantization={"dtype": "uint8", "scale": 0.1, "min": -1}
            ),
            tensor(name="shorts", shape=[3, 1], quantization=wide),
            tensor(name="whole", shape=[], dtype="int32"),
            tensor(name="floats", shape=[1, 2]),
        )
    )

    found = tfjs.read_tensors(tmp_path / "x.bin", tmp_path / "x.json")

    expected = {
        "bytes": np.array([-1, -0.9, 24.5], np.float32),
        "shorts": np.array([[1e-7], [7 * 0.1 + 1e-7], [6553.5 + 1e-7]], np.float32),
        "floats": np.array([[1.5, -2.25]], np.float32),
    }
    assert found.keys() == expected.keys()
    for name, each in expected.items():
        np.testing.assert_array_equal(found[name], each)
        assert found[name].dtype == np.float32


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_manifest_is_converted_or_refused_by_name(tmp_path: Path, seed: int) -> None:
    dice = np.random.default_rng(seed)
    content, whole = published_faces.published(published_faces.tensors("face-api-tiny"))
    path, described = tmp_path / "x.bin", tmp_path / "x.json"
    path.write_bytes(content)
    ends: Counter[str] = Counter()
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(int(dice.choice([1, 2, 5]))):
            damaged[dice.integers(len(damaged))] = int(dice.integers(32, 127))
        described.write_bytes(damaged)
        try:
            convert(path, "face-api-tiny", described)
            ends["converted"] += 1
        except WeightsMismatch:
            ends["refused"] += 1
    assert ends["refused"] > 20
    assert ends.total() == 40
