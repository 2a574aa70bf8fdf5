"""`matteline run` next to a `matteline up`: it uses that cloud, and leaves nothing in it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pictures import png, square
from tests.pipeline.cli.terminal import PATIENCE_S, Terminal, beside_up

NEEDLESS = ("boto3", "botocore", "moto", "numpy", "onnxruntime", "pydantic", "urllib3", "werkzeug")
LOADED = """
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
from pipeline.__main__ import main
main()
"""
COLUMNS = {"COLUMNS": "300"}


def start(terminal: Terminal, *words: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", LOADED, *words],
        cwd=ROOT, env=terminal.environment | COLUMNS | variables, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(
    terminal: Terminal, *words: str, **variables: str
) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run a command to its end; return it, and the packages that it loaded."""
    process = start(terminal, *words, **variables)
    shown, told = process.communicate(timeout=90)
    done = subprocess.CompletedProcess(words, process.returncode, shown, told)
    return done, {name.partition(".")[0] for name in told.split()}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "cat.png").write_bytes(png(square()))
    return tmp_path / "cat.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with 120 photos."""
    (tmp_path / "photos").mkdir()
    for number in range(120):
        (tmp_path / "photos" / f"{number:03}.png").write_bytes(png(square(left=8)))
    return tmp_path / "photos"


@contextmanager
def running(terminal: Terminal, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start to cut out a folder; begin the block once a photo is done."""
    output = folder.parent / "out"
    process = start(terminal, "run", str(folder), "-o", str(output), "--refine", "none")
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not list(output.glob("*.json")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def stored(terminal: Terminal, *buckets: str) -> int:
    """Count the versions of all objects in the buckets."""
    aws = terminal.command("aws").split(" s3 ")[0]
    count = 0
    for bucket in buckets:
        listed = terminal.type(
            f"{aws} s3api list-object-versions --bucket matteline-local-{bucket} --prefix ''"
        )
        found = json.loads(listed or "{}")
        count += len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))
    return count


def wait_until_empty(terminal: Terminal, *buckets: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while left := stored(terminal, *buckets):
        assert time.monotonic() < deadline, f"{left} objects are left"
        time.sleep(0.1)


def assert_clean(terminal: Terminal, *also: str) -> None:
    """No object is left, nothing runs, and an audit finds nothing.

    A task that goes on after its execution was stopped may leave a file in the work bucket.
    """
    wait_until_empty(terminal, "ingest", "output", *also)
    matteline = f"{sys.executable} -m pipeline"
    jobs = f"cd {ROOT}; {matteline} jobs"
    running = terminal.type(f"{jobs} list --status RUNNING --endpoint-url {terminal.endpoint}")
    audited = terminal.type(f"{jobs} audit --patience 0 --endpoint-url {terminal.endpoint}")
    assert "run-" not in running
    assert re.sub(r" \w+,? ?", "", audited.splitlines()[-1]) == "0" * 8


def test_the_results_are_the_same_as_without_and_nothing_needless_is_loaded(
    terminal: Terminal, photo: Path
) -> None:
    words = ("run", str(photo), "--refine", "none", "-o")

    attached, loaded = run(terminal, *words, str(photo.parent / "attached"))
    own, _ = run(terminal, *words, str(photo.parent / "own"), TMPDIR=str(photo.parent))

    assert (attached.returncode, own.returncode) == (0, 0), attached.stderr + own.stderr
    assert f"Cloud: {terminal.endpoint}, of `matteline up`\n" in attached.stdout
    assert "Cloud: " not in own.stdout
    assert loaded & {*NEEDLESS} == set()
    files = {"cat_bg_removed.json", "cat_bg_removed.png", "contact-sheet.png"}
    for folder in (photo.parent / "attached", photo.parent / "own"):
        assert {path.name for path in folder.iterdir()} == files
    contents = {
        name: [(photo.parent / each / name).read_bytes() for each in ("attached", "own")]
        for name in files
    }
    for name in ("cat_bg_removed.png", "contact-sheet.png"):
        assert contents[name][0] == contents[name][1]
    ours, theirs = map(json.loads, contents["cat_bg_removed.json"])
    assert ours.keys() == theirs.keys()
    assert ours["options"] == theirs["options"]
    models = [re.findall(r"^Model: (\w+) ", each.stdout, re.MULTILINE) for each in (attached, own)]
    assert models == [["brightness"], ["brightness"]]
    tables = [re.findall(r"cat.*DONE.*brightness", each.stdout) for each in (attached, own)]
    assert [len(rows) for rows in tables] == [1, 1]
    terminal.wait_for("DONE        run-")
    assert_clean(terminal, "work")


def test_a_photo_can_name_another_model_than_that_of_the_cloud(
    terminal: Terminal, photo: Path
) -> None:
    output = photo.parent / "out"

    done, _ = run(terminal, "run", str(photo), "-o", str(output), "--model", "starter")

    assert "Cloud: " in done.stdout, done.stderr
    assert "Model: starter (as requested, " in done.stdout
    assert json.loads((output / "cat_bg_removed.json").read_text())["model"] == "starter"


def test_photos_that_fail_are_told_as_without(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "diary.jpg").write_bytes(b"Dear diary")
    (tmp_path / "cat.png").write_bytes(png(square()))

    done, _ = run(terminal, "run", str(tmp_path), "-o", str(tmp_path / "out"))

    assert "Cloud: " in done.stdout
    assert done.returncode == 1
    assert "Of 2 photos: 1 DONE, 1 QUARANTINED" in done.stdout
    assert "UnsupportedMedia: " in done.stdout
    assert_clean(terminal)


def test_a_model_that_nobody_has_is_the_same_error(terminal: Terminal, photo: Path) -> None:
    done, _ = run(terminal, "run", str(photo), "-o", str(photo.parent / "o"), "--model", "u3net")

    assert done.returncode == 2
    assert done.stderr.startswith("UnknownModel: ")
    assert not done.stdout


@pytest.mark.parametrize(
    ("words", "variables", "why"),
    [
        (("--accept-licence", "Some-NC"), {}, "accepts other licences"),
        (("--mirror", "."), {}, "has another --mirror"),
        ((), {"MATTELINE_CATALOGUE": ""}, "has another --catalogue"),
        ((), {"XDG_CACHE_HOME": "/tmp"}, "keeps weights in another folder"),  # noqa: S108
        (("--images",), {}, "differs in --images"),
        (("--compute", "batch"), {}, "was started without --batch"),
    ],
)
def test_a_cloud_with_other_settings_is_not_used_and_the_difference_is_said(
    terminal: Terminal, photo: Path, words: tuple[str, ...], variables: dict[str, str], why: str
) -> None:
    # No such model: what starts a cloud of its own ends before it has started.
    chosen = ("--model", "u3net", *words)

    done, _ = run(terminal, "run", str(photo), "-o", str(photo.parent / "o"), *chosen, **variables)

    expected = f"Starting a local cloud of its own: the one on {terminal.endpoint} {why}.\n"
    assert done.stdout == expected, done.stderr


def test_a_cloud_of_other_sources_is_not_used(terminal: Terminal, photo: Path) -> None:
    edited = ROOT / "state_machines" / "attached.tmp"
    edited.touch()
    try:
        done, _ = run(
            terminal, "run", str(photo), "-o", str(photo.parent / "o"), "--model", "u3net"
        )
    finally:
        edited.unlink()

    assert "was started from other sources.\n" in done.stdout


def test_ctrl_c_stops_what_the_run_began_and_leaves_the_cloud_well(
    terminal: Terminal, folder: Path, photo: Path
) -> None:
    output = folder.parent / "out"
    with running(terminal, folder) as process:
        process.send_signal(signal.SIGINT)
        shown, told = process.communicate(timeout=60)

    assert process.returncode == 130, told
    assert "Traceback" not in told
    finished = len(list(output.glob("*.json")))
    assert f"{120 - finished} of 120 files were not finished" in shown
    assert not list(output.glob(".*"))
    assert_clean(terminal)
    after, _ = run(terminal, "run", str(photo), "-o", str(photo.parent / "after"))
    assert after.returncode == 0, after.stdout
    assert "Cloud: " in after.stdout


def test_a_run_that_is_killed_leaves_nothing(terminal: Terminal, folder: Path) -> None:
    with running(terminal, folder) as process:
        process.kill()
        process.communicate()

    assert_clean(terminal)


def test_ctrl_c_does_not_wait_for_a_suspended_cloud(terminal: Terminal, folder: Path) -> None:
    with running(terminal, folder) as process:
        terminal.process.send_signal(signal.SIGSTOP)
        try:
            process.send_signal(signal.SIGINT)
            shown, told = process.communicate(timeout=60)
        finally:
            terminal.process.send_signal(signal.SIGCONT)

    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert "of 120 files were not finished" in shown
    assert_clean(terminal)


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGKILL"])
def test_when_the_cloud_stops_the_other_photos_have_a_named_end(
    environment: dict[str, str], folder: Path, signal_name: str
) -> None:
    beside = folder.parent / "beside"
    beside.mkdir()
    output = folder.parent / "out"
    with beside_up(ROOT, beside, environment) as terminal, running(terminal, folder) as process:
        terminal.process.send_signal(getattr(signal, signal_name))
        shown, told = process.communicate(timeout=60)
        stopped = terminal.process.wait(30)

    assert stopped == {"SIGINT": 0, "SIGKILL": -signal.SIGKILL}[signal_name]
    assert "Traceback" not in terminal.shown
    assert process.returncode == 1, told
    assert "Traceback" not in told
    finished = len(list(output.glob("*_bg_removed.png")))
    assert f"Of 120 photos: {120 - finished} FAILED, {finished} DONE" in shown or (
        f"Of 120 photos: {finished} DONE, {120 - finished} FAILED" in shown
    )
    assert "CloudStopped: the local cloud stopped first. Run the command again." in shown
    assert not list(output.glob(".*"))


def test_of_two_clouds_the_one_that_suits_is_used(
    environment: dict[str, str], terminal: Terminal, photo: Path
) -> None:
    beside = photo.parent / "beside"
    beside.mkdir()
    other = environment | {"MATTELINE_ACCEPTED_LICENCES": "Some-NC"}
    with beside_up(ROOT, beside, other) as second:
        # The folder of its socket moves to where the first one's is: a run finds both.
        (theirs,) = (path.parent for path in beside.glob("matteline-*/up.socket"))
        here = Path(terminal.environment["TMPDIR"]) / theirs.name
        theirs.rename(here)
        done, _ = run(terminal, "run", str(photo), "-o", str(photo.parent / "o"))
        here.rename(theirs)

    assert f"Cloud: {terminal.endpoint}, " in done.stdout
    assert second.endpoint not in done.stdout
