"""Making and entering images, as far as that needs neither buildah nor root."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from pipeline.declared.containers import load_containers
from pipeline.releases.images import build
from pipeline.releases.images.build import build_images
from pipeline.releases.images.tools import answer, run
from pipeline.releases.images.trouble import BuildFailed, ToolMissing
from tests.conftest import ROOT
from tests.pipeline.cli.conftest import Matteline, environment, matteline  # noqa: F401 - fixtures


def test_pip_is_lent_what_it_is_told_here_less_this_machines_folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = https://one.test/simple\ntimeout = 7\n")
    for name, text in {
        "PIP_CONFIG_FILE": str(settings),
        "PIP_INDEX_URL": "https://two.test/simple",
        "PIP_FIND_LINKS": "/opt/wheels https://three.test/wheels file:///opt/more",
    }.items():
        monkeypatch.setenv(name, text)

    lines = build._pip_settings().splitlines()

    assert lines[0] == "[global]"
    assert {
        "timeout = 7",
        "index-url = https://two.test/simple",
        "find-links = https://three.test/wheels",
    } <= set(lines)
    assert "https://one.test/simple" not in " ".join(lines)


def test_a_container_for_another_machine_is_not_built_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "base_image", lambda _say: "base")
    (refiner,) = [each for each in load_containers(ROOT) if each.name == "edge-refiner"]
    foreign = "arm64" if platform.machine() == "x86_64" else "x86_64"

    with pytest.raises(BuildFailed, match=f"edge-refiner is for {foreign}"):
        build_images(ROOT, [refiner.model_copy(update={"architecture": foreign})], say=print)


def test_a_program_that_fails_is_quoted() -> None:
    script = "import sys; print('because'); sys.exit(3)"

    with pytest.raises(BuildFailed, match=r"(?s)ended with 3\nbecause"):
        run(sys.executable, "-c", script)
    assert answer(sys.executable, "-c", script) is None


def test_a_program_that_is_not_there_is_named_with_what_to_install() -> None:
    with pytest.raises(ToolMissing, match="no-such-program is not installed"):
        run("no-such-program")


@pytest.mark.parametrize("verb", [("containers", "build"), ("run", "photo.png", "--images")])
def test_without_buildah_the_command_line_says_so_in_one_line(
    matteline: Matteline,  # noqa: F811
    tmp_path: Path,
    verb: tuple[str, ...],
) -> None:
    photo = tmp_path / "photo.png"
    photo.touch()
    arguments = [str(photo) if word == "photo.png" else word for word in verb]

    done = matteline(*arguments, PATH=str(tmp_path))

    assert done.returncode == 1
    assert "ToolMissing: buildah is not installed\n" in done.stderr
    assert "sudo apt install buildah" in done.stderr
    assert "Traceback" not in done.stderr
