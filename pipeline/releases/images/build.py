"""Build the containers' images from the shared Dockerfile."""

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
from pipeline.releases.images.tools import BuildFailed, run
from pipeline.releases.shipping import DOCKERFILE, content_digest

Say = Callable[[str], None]

_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_PIP_SETTING: Final = re.compile(r"^(?P<scope>[^.]*)\.(?P<name>[a-z-]+)='(?P<value>.*)'$")
_ON_THIS_MACHINE: Final = ("/", "file:")
_WORTH_SHOWING: Final = re.compile(r'^(\w+ adds .* MB .*|\{"selftest":.*)$', re.MULTILINE)


def build_images(
    root: Path, containers: Iterable[ContainerManifest], *, say: Say, gpu: bool = False
) -> None:
    """Build the images, or the GPU images, one after another.

    Raises BuildFailed at the first failure.
    """
    base = base_image(say)
    with _secrets() as secrets:
        for container in containers:
            for line in _build(root, container, base=base, secrets=secrets, gpu=gpu):
                say(line)


def _build(
    root: Path, container: ContainerManifest, *, base: str, secrets: list[str], gpu: bool
) -> Iterator[str]:
    """Build one image; yield what is worth saying."""
    if gpu and not container.has_gpu_image:
        raise BuildFailed(f"{container.name} has no GPU image: its manifest lacks batch.gpu")
    if container.architecture != platform.machine():
        raise BuildFailed(
            f"{container.name} is for {container.architecture}, but this machine is "
            f"{platform.machine()}: build it on {container.architecture}"
        )
    started, name = time.monotonic(), image_name(container, gpu=gpu)
    arguments = {
        "CONTAINER": container.folder,
        "PYTHON_IMAGE": base,
        "VERSION": name.rpartition(":")[2],
        "REVISION": _revision(root),
        **({"GPU": "1"} if gpu else {}),
    }
    output = run(
        "buildah", "build", "--layers", "--isolation", "chroot", "--pull-never", *secrets,
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        "--label", f"{CONTENT_LABEL}={content_digest(root, container.folder)}",
        "--file", str(root / DOCKERFILE), "--tag", name, str(root),
    )  # fmt: skip
    yield from _WORTH_SHOWING.findall(output)
    yield f"Built {name} in {time.monotonic() - started:.0f} s"


@contextlib.contextmanager
def _secrets() -> Iterator[list[str]]:
    """Pass this machine's pip settings and CA bundle as build secrets.

    Yields the options for `buildah build`.
    """
    with tempfile.TemporaryDirectory(prefix="matteline-build-") as folder:
        settings = Path(folder) / "pip.conf"
        settings.write_text(_pip_settings(), encoding="utf-8")
        secrets = {"pip": settings, "certificates": _CERTIFICATES}
        yield [f"--secret=id={name},src={path}" for name, path in secrets.items() if path.exists()]


def _pip_settings() -> str:
    """Return this machine's pip settings, from file and environment, without local folders."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = [match for line in listed.splitlines() if (match := _PIP_SETTING.match(line))]
    found.sort(key=lambda match: match["scope"] == ":env:")  # the environment overrides files
    settings = {match["name"]: _reachable(match["value"]) for match in found}
    lines = [f"{name} = {value}" for name, value in settings.items() if value]
    return "\n".join(["[global]", *lines, ""])


def _reachable(value: str) -> str:
    """Drop the parts of a setting that name folders of this machine: the build cannot read them."""
    if value == str(_CERTIFICATES):
        return value
    return " ".join(part for part in value.split() if not part.startswith(_ON_THIS_MACHINE))


def _revision(root: Path) -> str:
    """Return the sources' commit, with `-dirty` if they changed since; `unknown` outside git."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return described.stdout.strip() or "unknown"
