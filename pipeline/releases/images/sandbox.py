"""A command inside an image's own files, as Lambda runs it: not root, nothing to write but /tmp.

bubblewrap does it, for root and (under `buildah unshare`) for anybody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.releases.images.store import Image
from pipeline.releases.images.tools import tool

_TMP: Final = Path("/tmp")  # noqa: S108 - Lambda's only writable folder
_NAMES_OF_HOSTS: Final = (Path("/etc/resolv.conf"), Path("/etc/hosts"))


@dataclass(frozen=True)
class Sandbox:
    """An image, and where its files are mounted (writable, so that mount points can be made)."""

    image: Image
    root: Path

    def enter(
        self,
        command: Sequence[str],
        *,
        readable: Sequence[Path] = (),
        writable: Sequence[Path] = (),
        network: bool = True,
    ) -> tuple[str, ...]:
        """What to type so that `command` runs inside.

        It sees `readable` and `writable` folders of this machine under their own names. Without
        `network` there is nobody to talk to.
        """
        return (
            tool("bwrap"), "--unshare-all", *(["--share-net"] if network else []),
            "--uid", str(self.image.user), "--gid", str(self.image.user),
            "--ro-bind", str(self.root), "/",
            "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--tmpfs", str(_TMP),
            *self._bound("--ro-bind", [*_NAMES_OF_HOSTS, *readable]),
            *self._bound("--bind", writable),
            "--chdir", self.image.folder, "--", *command,
        )  # fmt: skip

    def _bound(self, how: str, places: Sequence[Path]) -> Iterator[str]:
        for place in places:
            if place.exists():
                self._make_mount_point(place)
                yield from (how, str(place), str(place))

    def _make_mount_point(self, place: Path) -> None:
        """The root is read-only once inside: what is to be mounted over has to be there before."""
        point = self.root / place.relative_to("/")
        if place.is_relative_to(_TMP) or point.exists():
            return
        point.parent.mkdir(parents=True, exist_ok=True)
        point.mkdir() if place.is_dir() else point.touch()
