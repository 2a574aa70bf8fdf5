"""What the pages of the API tell clients to type, typed: with curl, in Python and in JavaScript.

And the same with a client that a generator makes of the API's description.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import urllib3

from containers.http_api.openapi import DOCUMENT
from tests.api.faces import embedded
from tests.conftest import ROOT
from tests.containers.http_api.finished import SOUND, finished_at
from tests.execution.api import PHOTO, User
from tests.pictures import unpng
from tests.pipeline.cli.terminal import Terminal

PAGES: Final = "".join((ROOT / "docs" / name).read_text() for name in ("api.md", "api-access.md"))
WRITTEN: Final = "http://127.0.0.1:8420"
RESULT: Final = "cat_bg_removed.png"


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [each for each in programs if not shutil.which(each)]
    return pytest.mark.skipif(
        bool(missing) and not os.environ.get("MATTELINE_DEMAND_CLIENTS"),
        reason=f"{', '.join(missing)} missing; MATTELINE_DEMAND_CLIENTS=1 fails instead",
    )


def blocks(language: str) -> list[str]:
    """Return the blocks of a language in the pages, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES, re.MULTILINE | re.DOTALL)


def block_with(text: str, language: str = "sh") -> str:
    """Return the one block that has this text."""
    (block,) = [block for block in blocks(language) if text in block]
    return block


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the photo that the page uploads."""
    (tmp_path / "cat.jpg").write_bytes(PHOTO)
    return tmp_path


def type_in(up: Terminal, folder: Path, *command: str, typed: str = "") -> str:
    """Run a program next to `matteline up`, as the page says; it must succeed."""
    exported = dict(re.findall(r"(\w+)=(\S+)", up.command("export")))
    done = subprocess.run(
        command, cwd=folder, env=up.environment | exported, input=typed,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def require_cutout(path: Path) -> None:
    height, width, channels = unpng(path.read_bytes()).shape
    assert channels == 4
    assert max(height, width) < 96, "the option `crop` was lost"


@needs("curl", "jq")
def test_the_page_with_curl(up: Terminal, folder: Path) -> None:
    def typed(block: str) -> str:
        return type_in(up, folder, "bash", "-e", typed=block.replace(WRITTEN, up.endpoint))

    upload, follow = block_with("-F file=@cat.jpg"), block_with("-o job.json")
    assert "<PostResponse>" in typed(upload)
    typed(follow)
    require_cutout(folder / RESULT)
    assert json.loads((folder / "job.json").read_text())["state"] == "done"

    listed = json.loads(typed(block_with("?status=failed")))["jobs"]  # an operator's: of all
    uploaded = json.loads((folder / "upload.json").read_text())["id"]
    assert all(job["state"] == "failed" and job["id"] != uploaded for job in listed)

    other, again, cancel = block_with("/replay").strip().splitlines()
    assert json.loads(typed(other))["state"] == "running"
    typed(follow)
    assert (folder / "cat_bg_removed.webp").exists()
    assert json.loads(typed(again))["state"] == "running"
    typed(follow)
    assert json.loads(typed(cancel))["type"].endswith("#notrunning")

    first, repeated = (json.loads(typed(block_with("idempotency-key"))) for _ in range(2))
    assert first == repeated


@needs("curl", "jq")
def test_speakers_are_named_with_curl(up: Terminal, folder: Path) -> None:
    def typed(block: str) -> str:
        return type_in(up, folder, "bash", "-e", typed=block.replace(WRITTEN, up.endpoint))

    typed(block_with("-F file=@cat.jpg"))
    form = json.loads((folder / "upload.json").read_text())
    talk = finished_at(up.endpoint, form["key"].partition("/")[0] + "/")
    (folder / "upload.json").write_text(json.dumps({"id": talk.job_id}))
    named = {"SPEAKER_00": "Anna"}

    name = block_with("headers.txt")
    typed(name)
    assert json.loads((folder / "names.json").read_text()) == named
    assert talk.names_file()["names"] == named
    told = typed(name)
    assert json.loads(told) == named

    job, *_ = name.splitlines()
    typed(f"{job}\n{block_with('source.json')}")
    assert (folder / "beginning").read_bytes() == SOUND


@needs("curl", "jq")
def test_a_subject_is_clicked_with_curl(up: Terminal, folder: Path) -> None:
    def typed(block: str, *command: str) -> str:
        program = command or ("bash", "-e")
        return type_in(up, folder, *program, typed=block.replace(WRITTEN, up.endpoint))

    typed(block_with("-F file=@cat.jpg"))
    clicks = block_with("$ID/masks")
    typed(clicks)
    assert (folder / "preview.jpg").read_bytes().startswith(b"\xff\xd8")
    assert unpng((folder / "mask.png").read_bytes()).shape == (192, 192)

    typed(block_with("large.point", "python"), sys.executable, "-")
    selected = unpng((folder / "selected.png").read_bytes())
    assert selected.shape == unpng(PHOTO).shape[:2]
    assert {0, 255} == set(selected.flat)
    assert selected[48, 48] == 255

    api, *_ = clicks.splitlines()
    job = json.loads(typed(f"{api}\n{block_with('prompts')}"))
    typed(block_with("-o job.json").replace("$(jq -r .id upload.json)", job["id"]))
    assert json.loads((folder / "job.json").read_text())["state"] == "done"


@needs("curl", "jq")
def test_a_person_is_found_and_forgotten_with_curl(up: Terminal, folder: Path, user: User) -> None:
    job = embedded(user, 3)
    (folder / "job.json").write_text(json.dumps(job))
    block = block_with("/enrollments -o")

    here = f"export MATTELINE_ENDPOINT_URL={up.endpoint}\n{block.replace(WRITTEN, up.endpoint)}"
    shown = type_in(up, folder, "bash", "-e", typed=here)

    created, enrolled, match, forgotten = shown.splitlines()
    assert json.loads(created) == ["done", {"created": True}]
    assert json.loads(enrolled)[1]["enrolled"] == 1
    assert match.endswith(f"\temployee-7\t{job['key']}")
    assert json.loads(forgotten)[1]["forgotten"] == 1


@needs("curl", "jq")
def test_the_console_with_curl(up: Terminal, folder: Path) -> None:
    block = block_with("console/machines").replace(WRITTEN, up.endpoint)

    shown = type_in(up, folder, "bash", "-e", typed=block)

    assert '"prefix": "archive/"' in shown
    execution = json.loads((folder / "execution.json").read_text())
    assert execution["input"]["prefix"] == "archive/"
    assert all("\t" in line for line in shown.splitlines()[-len(execution["states"]) :])
    assert json.loads((folder / "logs.json").read_text())["complete"]
    assert json.loads((folder / "executions.json").read_text()).keys() == {"items", "cursor"}


@needs("curl")
def test_the_catalogue_with_curl(up: Terminal, folder: Path) -> None:
    for line in block_with("/openapi.json").strip().splitlines():
        told = type_in(up, folder, *line.replace(WRITTEN, up.endpoint).split())
        assert json.loads(told).keys() & {"models", "products", "openapi"}


@needs("curl")
def test_the_problem_with_curl(up: Terminal, folder: Path) -> None:
    block = block_with("application/problem+json", "console")
    command, shown = block.removeprefix("$ ").split("\n", 1)

    told = type_in(up, folder, *command.replace(WRITTEN, up.endpoint).split())

    head, body = re.split(r"\r?\n\r?\n", told, maxsplit=1)
    lines, _, described = shown.partition("…\n")
    for line in lines.strip().splitlines():
        assert line.lower() in head.lower()
    expected, answered = json.loads(described), json.loads(body)
    assert expected | {"request_id": answered["request_id"]} == answered


def test_the_page_in_python(up: Terminal, folder: Path) -> None:
    def typed(block: str) -> str:
        here = block.replace(WRITTEN, up.endpoint)
        return type_in(up, folder, sys.executable, "-", typed=here)

    said = typed(block_with("Path(result", "python"))
    listed = typed(block_with("SigV4Auth", "python"))

    assert said == "done None\n"
    require_cutout(folder / RESULT)
    assert "'state': 'done'" in listed


def test_a_folder_is_uploaded_in_python(up: Terminal, folder: Path) -> None:
    (folder / "old").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / "old" / name).write_bytes(PHOTO)
    (folder / "old" / "c.jpg").write_bytes(b"")

    said = type_in(
        up, folder, sys.executable, "-",
        typed=block_with("ThreadPoolExecutor", "python").replace(WRITTEN, up.endpoint),
    )  # fmt: skip

    first, second, empty = said.splitlines()
    assert empty.startswith('c.jpg 422: {"type"')
    assert "body.bytes" in empty
    for line, name in ((first, "a"), (second, "b")):
        told, upload = line.split()
        url = f"{up.endpoint}/api/jobs/{upload}"
        job = urllib3.request("GET", url, headers={"prefer": "wait=20"}, timeout=30).json()
        assert (told, job["state"]) == (f"{name}.jpg", "done")
        assert job["results"][0]["media_type"] == "image/jpeg"


def test_the_page_in_python_is_typed(folder: Path) -> None:
    for number, block in enumerate(blocks("python")):
        (folder / f"block_{number}.py").write_text(block)

    checked = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml",
            "--cache-dir", ROOT / ".mypy_cache", folder,
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_block_of_shell_can_be_read(folder: Path) -> None:
    for block in blocks("sh"):
        read = subprocess.run(["bash", "-n"], input=block, cwd=folder, text=True, check=False)
        assert read.returncode == 0, block


@needs("node")
def test_the_page_in_javascript(up: Terminal, folder: Path) -> None:
    journey = block_with("cat.jpg", "js").replace(WRITTEN, up.endpoint)
    (folder / "cutout.mjs").write_text(journey)

    said = type_in(up, folder, "node", "cutout.mjs")

    assert said == "done undefined\n"
    require_cutout(folder / RESULT)


def test_a_generated_client_makes_a_whole_journey(
    up: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(
        up, folder, "openapi-python-client", "generate", "--path", str(DOCUMENT),
        "--output-path", "generated_client", "--meta", "none", "--fail-on-warning",
    )  # fmt: skip
    monkeypatch.syspath_prepend(folder)

    def of(module: str) -> Any:
        return importlib.import_module(f"generated_client.{module}")

    client = of("client").Client(base_url=f"{up.endpoint}/api", timeout=30)
    models = of("models")

    form = of("api.uploads.create_upload").sync(
        client=client, body=models.NewUpload(name="cat.jpg", bytes_=len(PHOTO))
    )
    fields = {**form.fields.to_dict(), "file": ("cat.jpg", PHOTO)}
    assert urllib3.request("POST", form.url, fields=fields).status == 201
    job = of("api.jobs.get_job").sync(form.id, client=client, prefer="wait=20")
    missing = of("api.jobs.get_job").sync("never", client=client)

    assert (type(job), job.state) == (models.Job, models.JobState.DONE)
    (result,) = job.results
    assert unpng(urllib3.request("GET", result.url).data).shape == (96, 96, 4)
    assert type(missing) is models.Problem
    assert missing.type_.endswith("#nosuchjob")
