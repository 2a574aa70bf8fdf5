"""Images are built from this machine's pip settings, for this machine's architecture."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from pipeline.declared.containers import load_containers
from pipeline.releases.images import build
from pipeline.releases.images.build import build_images
from pipeline.releases.images.tools import BuildFailed
from tests.conftest import ROOT
from tests.pipeline.cli.conftest import Matteline, environment, matteline  # noqa: F401 - fixtures


def test_the_build_gets_this_machines_pip_settings_without_local_folders(
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


def test_a_container_for_another_architecture_is_not_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "base_image", lambda _say: "base")
    (refiner,) = [each for each in load_containers(ROOT) if each.name == "edge-refiner"]
    foreign = "arm64" if platform.machine() == "x86_64" else "x86_64"

    with pytest.raises(BuildFailed, match=f"edge-refiner is for {foreign}"):
        build_images(ROOT, [refiner.model_copy(update={"architecture": foreign})], say=print)


@pytest.mark.parametrize("words", [("containers", "build"), ("run", "photo.png", "--images")])
def test_without_buildah_a_command_fails_in_one_line_with_a_hint(
    matteline: Matteline,  # noqa: F811
    tmp_path: Path,
    words: tuple[str, ...],
) -> None:
    photo = tmp_path / "photo.png"
    photo.touch()
    arguments = [str(photo) if word == "photo.png" else word for word in words]

    done = matteline(*arguments, PATH=str(tmp_path))

    assert done.returncode == 1
    assert "ToolMissing: buildah is not installed\n" in done.stderr
    assert "sudo apt install buildah" in done.stderr
    assert "Traceback" not in done.stderr
