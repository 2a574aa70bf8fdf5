"""A run brings the files of faces home, and asks for faces in the metadata of its uploads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.session.batch import Outcome, process
from pipeline.session.collecting import OWN, collect
from pipeline.session.run_cleanup import remove_files
from pipeline.session.run_messages import RunModels, RunRequest, TranscriptProgress
from pipeline.session.running_cloud import attached
from pipeline.session.runs import serving_runs
from tests.execution.driver import Driver
from tests.faces.stubs.script import Script


@pytest.fixture
def port(driver: Driver) -> Iterator[int]:
    """Return the port of a cloud that serves runs."""
    with serving_runs(driver.cloud, {}, lambda _: RunModels(()), shared=False):
        yield driver.cloud.server.port


def run(port: int, *given: Path, output: Path, **options: str) -> tuple[dict[str, Outcome], str]:
    """Look for faces in photos; return the outcomes by name, and the prefix of the uploads."""
    told: list[Outcome | TranscriptProgress] = []
    found = collect(given, output=output, product="faces")
    with attached(port, RunRequest({}, None, ["faces"])) as cloud:
        outcomes = process(
            cloud, found.files, options={"faces": options}, output=output, on_progress=told.append
        )
        prefix = cloud.greeting.prefix
    assert told == outcomes  # each photo has one end, although another machine starts first
    return {outcome.file.path.name: outcome for outcome in outcomes}, prefix


def test_every_file_of_a_photo_comes_home_and_none_is_taken_for_a_photo(
    port: int, tmp_path: Path
) -> None:
    photo = tmp_path / "us.png"
    photo.write_bytes(Script(padding="home").photo())

    outcomes, _ = run(port, tmp_path, output=tmp_path, preview="true", redact="cover", embed="true")

    outcome = outcomes["us.png"]
    ends = (
        ".json", "_preview.jpg", "_redacted.png", ".embeddings.json", ".embeddings.safetensors",
    )  # fmt: skip
    assert outcome.done, outcome.reason
    assert outcome.record == tmp_path / "us_faces.record.json"
    assert outcome.shown == tmp_path / "us_faces_redacted.png"
    written = {path for path in tmp_path.iterdir() if path != photo}
    assert written == {outcome.record, *(tmp_path / f"us_faces{end}" for end in ends)}
    again = collect([tmp_path], output=tmp_path)
    assert [file.path for file in again.files] == [photo]
    assert {each.path for each in again.skipped if each.why == OWN} == written


@pytest.mark.parametrize("name", ["us.png", "us.mp3", "us", "us.PNG"])
def test_faces_are_found_whatever_the_name_of_the_photo(
    port: int, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(Script(padding=name).photo())

    outcomes, _ = run(port, tmp_path / name, output=tmp_path / "out")

    assert outcomes[name].done, outcomes[name].reason
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "us_faces.json",
        "us_faces.record.json",
    }


def test_what_is_no_photo_says_so(port: int, tmp_path: Path) -> None:
    (tmp_path / "us.jpg").write_bytes(b"Dear diary")

    outcomes, _ = run(port, tmp_path, output=tmp_path / "out")

    assert outcomes["us.jpg"].status == "QUARANTINED"
    assert outcomes["us.jpg"].reason.startswith("UnsupportedMedia: ")
    assert not (tmp_path / "out").exists()


def test_a_run_that_has_left_leaves_no_file_of_faces(
    port: int, driver: Driver, tmp_path: Path
) -> None:
    (tmp_path / "us.png").write_bytes(Script(padding="left").photo())
    _, prefix = run(port, tmp_path, output=tmp_path / "out", embed="true")
    (row,) = driver.records_of(next(iter(driver.keys("ingest", prefix=prefix))))
    before = driver.keys("work", prefix=f"faces/{row['job_id']}/")

    remove_files(driver.cloud, prefix)

    assert before
    for bucket, kept in {
        "ingest": prefix,
        "output": prefix,
        "work": f"faces/{row['job_id']}/",
    }.items():
        assert driver.keys(bucket, prefix=kept) == [], bucket
