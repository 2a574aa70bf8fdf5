"""Keep `containers/containers.lock`: the content that each container's version identifies.

A committed version identifies one content permanently, as an image's tag does. Content is what
`pipeline.releases.shipping` puts in the image, so a change in `pipeline/` affects only the
containers that import the changed module.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pipeline.declared.containers import ContainerManifest, load_container, load_containers
from pipeline.declared.declaration import Declaration
from pipeline.releases.shipping import content_digest

LOCK: Final = Path("containers/containers.lock")
_HEAD: Final = "# Content that each version identifies. Written by `matteline containers lock`.\n"
_VERSION: Final = re.compile(r'^version = "(\d+)\.(\d+)\.(\d+)"', re.MULTILINE)


class Locked(Declaration):
    """A container's version, and the SHA-256 of its image's content."""

    version: str
    content: str


class VersionTaken(Exception):
    """A committed version would identify two contents."""


def problems(root: Path) -> Iterator[str]:
    """Yield each problem of the lock as a sentence with the command that fixes it."""
    locked, contents = _read(root / LOCK), _contents(root)
    taken = _taken(contents, locked)
    for name in taken:
        yield (
            f"{name} changed but its version {contents[name].version} did not; "
            f"run `matteline containers bump {name}`"
        )
    settled = {name: each for name, each in locked.items() if name not in taken}
    if settled != {name: each for name, each in contents.items() if name not in taken}:
        yield f"{LOCK} is out of date; run `matteline containers lock`"


def lock(root: Path) -> None:
    """Write the lock.

    Raises VersionTaken if a version is committed with other content.
    """
    committed, contents = _committed(root), _contents(root)
    if taken := _taken(contents, committed):
        raise VersionTaken(
            f"{', '.join(taken)} changed, but the versions are already committed; "
            f"run `matteline containers bump {' '.join(taken)}`"
        )
    (root / LOCK).write_text(_written(contents), encoding="utf-8")


def bump(root: Path, container: ContainerManifest) -> ContainerManifest:
    """Raise the last number of a container's version, once per commit. Return its manifest."""
    committed = _committed(root).get(container.name)
    if committed is None or committed.version != container.version:
        return container
    path = root / "containers" / container.folder / "container.toml"
    text = path.read_text(encoding="utf-8")
    raised = _VERSION.sub(lambda v: f'version = "{v[1]}.{v[2]}.{int(v[3]) + 1}"', text, count=1)
    path.write_text(raised, encoding="utf-8")
    return load_container(path.parent)


def _taken(contents: Mapping[str, Locked], locked: Mapping[str, Locked]) -> list[str]:
    """Return the containers whose version identifies other content in `locked`."""
    return [
        name
        for name, each in contents.items()
        if name in locked
        and locked[name].version == each.version
        and locked[name].content != each.content
    ]


def _contents(root: Path) -> dict[str, Locked]:
    return {
        each.name: Locked(version=each.version, content=content_digest(root, each.folder))
        for each in load_containers(root)
    }


def _read(path: Path) -> dict[str, Locked]:
    return _parsed(path.read_text(encoding="utf-8")) if path.exists() else {}


def _committed(root: Path) -> dict[str, Locked]:
    """Read the lock of the last commit; empty outside git, or if the commit has no lock."""
    shown = subprocess.run(  # noqa: S603 - a constant path
        ["git", "show", f"HEAD:./{LOCK}"],  # noqa: S607
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return _parsed(shown.stdout) if shown.returncode == 0 else {}


def _parsed(text: str) -> dict[str, Locked]:
    return {name: Locked.model_validate(each) for name, each in tomllib.loads(text).items()}


def _written(contents: Mapping[str, Locked]) -> str:
    tables: Iterable[str] = (
        f'\n[{name}]\nversion = "{each.version}"\ncontent = "{each.content}"\n'
        for name, each in sorted(contents.items())
    )
    return _HEAD + "".join(tables)
