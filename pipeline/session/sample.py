"""A recording in which somebody speaks: made on this machine, or taken from a package."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.declared.addresses import package_members
from pipeline.declared.models import WeightsFile
from pipeline.session.packages import Packages
from pipeline.session.whole_files import whole_file

# A synthetic voice is hard to understand: whisper-base hears these words rightly.
TEXT: Final = (
    "Hello, and welcome. A photo comes back without its background. "
    "A recording comes back as text, with the time of every word."
)
_WORDS_PER_MINUTE: Final = 150
_SHIPPED: Final = "pypi:pyannote.audio==4.0.7/pyannote/audio/sample/sample.wav"
_DIGEST: Final = "sha256:c319b4abca767b124e41432d364fd7df006cb26bb79d09326c487d606a134e6e"


class Sample(NamedTuple):
    """A sample recording, and where it comes from, as the end of a sentence."""

    path: Path
    origin: str


def sample_recording(folder: Path, say: Callable[[str], None]) -> Sample:
    """Write a sample recording into a folder, unless it is there.

    espeak-ng speaks it; where that is not installed, it is the conversation that pyannote.audio
    ships (MIT). `say` reports a download. Raises PackageUnusable if neither is to be had.
    """
    spoken, shipped = folder / "welcome.wav", folder / "conversation.wav"
    if not spoken.exists() and not shipped.exists():
        try:
            _speak(spoken)
        except FileNotFoundError:
            _take(shipped, say)
    if spoken.exists():
        return Sample(spoken, "spoken by espeak-ng")
    return Sample(shipped, "which the package pyannote.audio ships")


def _speak(path: Path) -> None:
    """Raises FileNotFoundError if espeak-ng is not installed."""
    with whole_file(path) as partial:
        said = ("espeak-ng", "-v", "en", "-s", str(_WORDS_PER_MINUTE), "-w", str(partial), TEXT)
        subprocess.run(said, check=True, stdin=subprocess.DEVNULL)  # noqa: S603


def _take(path: Path, say: Callable[[str], None]) -> None:
    file = WeightsFile(name=path.name, urls=(_SHIPPED,), digest=_DIGEST, bytes=960_104)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Packages(folder, say).fetch(file, _SHIPPED)
        (member,) = package_members(_SHIPPED)
        with whole_file(path) as partial:
            partial.write_bytes((folder / member.place).read_bytes())
