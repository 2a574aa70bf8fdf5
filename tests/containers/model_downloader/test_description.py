"""A file nobody has described tells what it takes and gives when it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.model_downloader.__main__ import main
from containers.model_downloader.description import describe
from pipeline.contracts.weights import NetworkDescription, NetworkQuestion
from pipeline.errors import WeightsMismatch
from tests.containers.model_downloader.networks import answering, network, saved
from tests.models import brightness


def question(path: Path, *, input_size: int | None = None) -> NetworkQuestion:
    return NetworkQuestion(path=path, black=-1.0, white=3.0, input_size=input_size)


def described(path: Path, *, input_size: int | None = None) -> NetworkDescription:
    return describe(question(path, input_size=input_size))


def test_a_network_tells_its_size_and_its_range(tmp_path: Path) -> None:
    found = described(saved(tmp_path, brightness().SerializeToString()))

    assert found.input_size == 64
    assert (found.output_name, found.output_shape) == ("saliency", (1, 1, 64, 64))
    assert (found.lowest, found.highest) == pytest.approx((-1.0, 3.0), abs=1e-5)
    assert 10 < found.peak_mb < 100_000


def test_a_network_of_any_size_takes_the_one_that_is_wanted(tmp_path: Path) -> None:
    path = saved(tmp_path, network([1, 3, "height", "width"]))

    assert described(path, input_size=48).input_size == 48
    with pytest.raises(WeightsMismatch, match="any size; pass --input-size"):
        described(path)


@pytest.mark.parametrize(
    "content",
    [
        network([1, 4, 64, 64]),
        network([1, 3, 64, 32]),
        network([3, 64, 64]),
        network([1, 3, 64, 64], [1, 1, 64, 64]),
        answering([1, 1, "h", "w"], [1, 1, 64, 32]),
        answering([1, 1, "h", "w"], [1, 1, 64, 64], float("nan")),
        b"<html>",
    ],
    ids=["rgba", "not square", "no batch", "two inputs", "other map", "no numbers", "no ONNX"],
)
def test_a_file_that_is_no_saliency_network_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(WeightsMismatch, match=r"^w\.onnx "):
        described(saved(tmp_path, content))


def test_a_size_the_network_does_not_take_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, brightness().SerializeToString())

    with pytest.raises(WeightsMismatch, match=r"takes \[1, 3, 64, 64\], not \[1, 3, 32, 32\]"):
        described(path, input_size=32)


def test_a_description_is_printed_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(question(saved(tmp_path, network([1, 3, "h", "w"])), input_size=64).model_dump_json())

    printed = NetworkDescription.model_validate_json(capsys.readouterr().out)
    assert (printed.input_size, printed.lowest, printed.highest) == (64, -1.0, 3.0)


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^WeightsMismatch: w\.onnx is not a loadable ONNX model"):
        main(question(saved(tmp_path, b"<html>")).model_dump_json())
