"""Run a command inside an image as Lambda does: not as root, with only /tmp writable.

Uses bubblewrap, as root, or as another user under `buildah unshare`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.releases.images.store import Image
from pipeline.releases.images.tools import tool

_TMP: Final = Path("/tmp")  # noqa: S108 - Lambda's only writable folder
_HOST_NAMES: Final = (Path("/etc/resolv.conf"), Path("/etc/hosts"))


@dataclass(frozen=True)
class Sandbox:
    """An image, and the folder where it is mounted, writable to create mount points."""

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
        """Return the command line that runs `command` inside the image.

        The command can use the `readable` and `writable` folders of this machine at the same
        paths, and this machine's network only if `network` is true.
        """
        return (
            tool("bwrap"), "--unshare-all", *(["--share-net"] if network else []),
            "--uid", str(self.image.user), "--gid", str(self.image.user),
            "--ro-bind", str(self.root), "/",
            "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--tmpfs", str(_TMP),
            *self._bound("--ro-bind", [*_HOST_NAMES, *readable]),
            *self._bound("--bind", writable),
            "--chdir", self.image.folder, "--", *command,
        )  # fmt: skip

    def _bound(self, how: str, places: Sequence[Path]) -> Iterator[str]:
        for place in places:
            if place.exists():
                self._make_mount_point(place)
                yield from (how, str(place), str(place))

    def _make_mount_point(self, place: Path) -> None:
        """Create a mount point in advance: inside the sandbox the root is read-only."""
        point = self.root / place.relative_to("/")
        if place.is_relative_to(_TMP) or point.exists():
            return
        point.parent.mkdir(parents=True, exist_ok=True)
        point.mkdir() if place.is_dir() else point.touch()
