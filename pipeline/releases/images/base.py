"""Build a base image of Debian with Python 3.13, for machines that cannot pull the published one.

The Dockerfile's base is python:3.13-slim-trixie by digest. This image has the same Debian release
and the same minor version of Python, from Debian's packages.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pipeline.releases.images.tools import answer, run

SUITE: Final = "trixie"
PACKAGES: Final = ("ca-certificates", "python3", "python3-venv")
_RECIPE: Final = hashlib.sha256(" ".join([SUITE, *PACKAGES]).encode()).hexdigest()[:12]
NAME: Final = "localhost/matteline/python"
# Unused at run time; and copies of this machine's settings.
_LEFT_OVER: Final = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale")
_OF_THIS_MACHINE: Final = ("etc/hostname", "etc/resolv.conf")


def base_image(say: Callable[[str], None]) -> str:
    """Return the base image's name with its digest; build the image if this machine has none."""
    tagged = f"{NAME}:{SUITE}-{_RECIPE}"
    if answer("buildah", "inspect", "--type", "image", tagged) is None:
        say(f"Building the base image once: Debian {SUITE} with Python; takes about a minute")
        _make(tagged)
    digest = run("buildah", "images", "--format", "{{.Digest}}", tagged).split()[0]
    return f"{NAME}@{digest}"


def _make(tagged: str) -> None:
    with tempfile.TemporaryDirectory(prefix="matteline-base-") as folder:
        root = Path(folder) / "root"
        included = f"--include={','.join(PACKAGES)}"
        run("debootstrap", "--variant=minbase", included, SUITE, str(root))
        for place in _LEFT_OVER:
            shutil.rmtree(root / place)
        for place in _OF_THIS_MACHINE:
            (root / place).write_text("")
        container = run("buildah", "from", "scratch").strip()
        try:
            run("buildah", "copy", "--quiet", container, str(root), "/")
            run("buildah", "commit", "--quiet", container, tagged)
        finally:
            run("buildah", "rm", container)
