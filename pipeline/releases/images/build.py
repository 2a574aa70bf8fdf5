"""Builds the containers' images from the one Dockerfile."""

from __future__ import annotations

import contextlib
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from pipeline.declared.containers import ContainerManifest
from pipeline.releases.images.base import base_image
from pipeline.releases.images.store import CONTENT_LABEL, image_name
from pipeline.releases.images.tools import run
from pipeline.releases.images.trouble import BuildFailed
from pipeline.releases.shipping import DOCKERFILE, content_digest

Say = Callable[[str], None]

_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_PIP_SETTING: Final = re.compile(r"^(?P<scope>[^.]*)\.(?P<name>[a-z-]+)='(?P<value>.*)'$")
_ON_THIS_MACHINE: Final = ("/", "file:")
_WORTH_SHOWING: Final = re.compile(r'^(\w+ adds .* MB .*|\{"selftest":.*)$', re.MULTILINE)


def build_images(root: Path, containers: Iterable[ContainerManifest], *, say: Say) -> None:
    """Build one image after another; BuildFailed at the first that cannot be built."""
    base = base_image(say)
    with _secrets() as secrets:
        for container in containers:
            _build(root, container, base=base, secrets=secrets, say=say)


def _build(
    root: Path, container: ContainerManifest, *, base: str, secrets: list[str], say: Say
) -> None:
    if container.architecture != platform.machine():
        raise BuildFailed(
            f"{container.name} is for {container.architecture}, this machine is "
            f"{platform.machine()}: build it there"
        )
    started = time.monotonic()
    arguments = {
        "CONTAINER": container.folder,
        "PYTHON_IMAGE": base,
        "VERSION": container.version,
        "REVISION": _revision(root),
    }
    told = run(
        "buildah", "build", "--layers", "--isolation", "chroot", "--pull-never", *secrets,
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        "--label", f"{CONTENT_LABEL}={content_digest(root, container.folder)}",
        "--file", str(root / DOCKERFILE), "--tag", image_name(container), str(root),
    )  # fmt: skip
    for line in _WORTH_SHOWING.findall(told):
        say(line)
    say(f"{image_name(container)} is built, after {time.monotonic() - started:.0f} s")


@contextlib.contextmanager
def _secrets() -> Iterator[list[str]]:
    """What pip inside the build is lent: this machine's settings, and whom it trusts."""
    with tempfile.TemporaryDirectory(prefix="matteline-build-") as folder:
        settings = Path(folder) / "pip.conf"
        settings.write_text(_pip_settings(), encoding="utf-8")
        lent = {"pip": settings, "certificates": _CERTIFICATES}
        yield [f"--secret=id={name},src={path}" for name, path in lent.items() if path.exists()]


def _pip_settings() -> str:
    """What pip is told on this machine, file or environment, less the folders of this machine."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = [match for line in listed.splitlines() if (match := _PIP_SETTING.match(line))]
    found.sort(key=lambda match: match["scope"] == ":env:")  # the environment has the last word
    settings = {match["name"]: _reachable(match["value"]) for match in found}
    lines = [f"{name} = {value}" for name, value in settings.items() if value]
    return "\n".join(["[global]", *lines, ""])


def _reachable(value: str) -> str:
    """The parts of a setting that mean something inside the build."""
    if value == str(_CERTIFICATES):
        return value
    return " ".join(part for part in value.split() if not part.startswith(_ON_THIS_MACHINE))


def _revision(root: Path) -> str:
    """The commit the sources are of, `-dirty` if they are no longer; `unknown` outside git."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return described.stdout.strip() or "unknown"
