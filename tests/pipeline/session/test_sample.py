"""The sample recording is spoken on this machine, else taken from a package, else named missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import WeightsMismatch
from pipeline.session.package_files import PackageUnusable
from pipeline.session.sample import sample_recording
from tests.packages import put_wheel

MEMBER = "pyannote/audio/sample/sample.wav"


@pytest.fixture
def without_voice(index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the package index of a machine without espeak-ng."""
    monkeypatch.setenv("PATH", "/nowhere")
    return index


def test_espeak_speaks_the_sample_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = tmp_path / "bin" / "espeak-ng"
    voice.parent.mkdir()
    voice.write_text('#!/bin/sh\nprintf spoken > "$6"\n')
    voice.chmod(0o755)
    monkeypatch.setenv("PATH", f"{voice.parent}:/bin:/usr/bin")

    first = sample_recording(tmp_path, print)
    voice.unlink()
    again = sample_recording(tmp_path, print)

    assert first == again == (tmp_path / "welcome.wav", "spoken by espeak-ng")
    assert first.path.read_text() == "spoken"


def test_other_bytes_in_the_package_are_no_sample(without_voice: Path, tmp_path: Path) -> None:
    put_wheel(without_voice, {MEMBER: b"RIFF"}, name="pyannote.audio", version="4.0.7")

    with pytest.raises(WeightsMismatch):
        sample_recording(tmp_path, print)
    assert not list(tmp_path.glob("*.wav"))


def test_without_voice_and_package_the_reason_is_named(without_voice: Path, tmp_path: Path) -> None:
    put_wheel(without_voice, {"other.txt": b""}, name="pyannote.audio", version="4.0.7")

    with pytest.raises(PackageUnusable, match=MEMBER):
        sample_recording(tmp_path, print)
    assert not list(tmp_path.glob("*.wav"))
