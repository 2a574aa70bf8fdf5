"""What can go wrong with images, for a person at a terminal: no state machine ever sees these."""

from __future__ import annotations


class ImageTrouble(Exception):
    """A sentence on what is wrong, and a hint on what to type."""

    hint = ""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class ToolMissing(ImageTrouble):
    """A program that images are made or entered with is not installed."""

    hint = "On Debian or Ubuntu: sudo apt install buildah debootstrap bubblewrap"


class BuildFailed(ImageTrouble):
    """A step of the build said no."""

    hint = "Mend what it names and build again: what was done before is kept."


class ImageNotBuilt(ImageTrouble):
    """There is no image of a container, or only one of other sources."""

    hint = "Build it: make images"
