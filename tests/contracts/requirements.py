"""Reads requirements files: names as asked for, and versions with hashes as locked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_PINNED: Final = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)( ; (?P<marker>.+?))?")
_HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Pin:
    name: str
    version: str
    hashes: frozenset[str]
    marker: str = ""


def read_names(path: Path) -> frozenset[str]:
    """The distributions a requirements.in asks for, without extras and versions."""
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return frozenset(_normal(line) for line in lines if line)


def read_lock(path: Path) -> tuple[Pin, ...]:
    """Every pin of a lock; ValueError for a line that is none, or has no hash."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return tuple(_pin(line, path) for line in lines if line.strip())


def _pin(line: str, path: Path) -> Pin:
    hashes = frozenset(_HASH.findall(line))
    match = _PINNED.fullmatch(_HASH.sub("", line).strip())
    if not match or not hashes:
        raise ValueError(f"{path}: not pinned with hashes: {line[:60]}")
    return Pin(match["name"], match["version"], hashes, match["marker"] or "")


def _normal(line: str) -> str:
    match = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else line
