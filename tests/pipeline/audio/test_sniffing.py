"""The demuxer follows from a file's first bytes, and nothing else gets one."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.sniffing import HEAD_BYTES, Demuxer, sniff
from tests.pipeline.audio.recordings import KINDS, encoded, tones, written

DEMUXERS: dict[str, Demuxer] = {
    ".wav": "wav", ".mp3": "mp3", ".m4a": "mov", ".flac": "flac", ".ogg": "ogg", ".opus": "ogg",
    ".aac": "aac", ".wma": "asf", ".mp4": "mov", ".mov": "mov", ".mkv": "matroska",
    ".webm": "matroska",
}  # fmt: skip


def recording(suffix: str) -> bytes:
    return encoded(tones(1, KINDS[suffix].rate, 2), suffix)


def tag(size: int, *, footer: bool = False) -> bytes:
    length = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    header = b"ID3\x04\0" + (b"\x10" if footer else b"\0") + length
    return header + bytes(size) + (b"3DI" + header[3:] if footer else b"")


@pytest.mark.parametrize("suffix", KINDS)
def test_every_format_of_the_product_has_its_demuxer(suffix: str) -> None:
    assert sniff(recording(suffix)[:HEAD_BYTES]) == DEMUXERS[suffix]


@pytest.mark.parametrize("suffix", [".mp3", ".aac", ".flac", ".wav"])
@pytest.mark.parametrize("footer", [False, True])
def test_tags_come_before_the_sound(suffix: str, footer: bool) -> None:  # noqa: FBT001
    tagged = tag(3_000, footer=footer) + tag(50) + recording(suffix)

    assert sniff(tagged[:HEAD_BYTES]) == DEMUXERS[suffix]


@pytest.mark.parametrize("size", [HEAD_BYTES - 10, HEAD_BYTES, 5_000_000])
def test_tags_longer_than_the_head_are_those_of_mp3(size: int) -> None:
    assert sniff((tag(size) + recording(".mp3"))[:HEAD_BYTES]) == "mp3"


@pytest.mark.parametrize("suffix", [".mp3", ".aac"])
@pytest.mark.parametrize("lost", [1, 100, 300])
def test_a_broadcast_may_begin_within_a_frame(suffix: str, lost: int) -> None:
    assert sniff(recording(suffix)[lost:HEAD_BYTES]) == DEMUXERS[suffix]


@pytest.mark.parametrize("suffix", [".mp3", ".aac"])
def test_one_frame_alone_may_be_chance(suffix: str) -> None:
    assert sniff(recording(suffix)[:200] + b"\0" * 5_000) is None


@pytest.mark.parametrize("name", ["RF64", "W64"])
def test_wave_files_above_4_gb_are_wave_files(name: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(1_000), 8_000, format=name)

    assert sniff(file.getvalue()) == {"RF64": "wav", "W64": "w64"}[name]


def test_an_old_quicktime_film_names_no_brand() -> None:
    film = written(tones(1, 48_000), KINDS[".mov"], film=True)
    (size,) = (int.from_bytes(film[:4], "big"),)

    assert sniff(film[size:]) == "mov"
    assert sniff(b"\0\0\0\x08wide" * 3 + b"\0\0\1\0free" + bytes(248) + film[size:]) == "mov"
    assert sniff(b"\0\0\0\x08wide" * 3) is None


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"M4A ", b"M4B ", b"qt  ", b"3gp4", b"dash"])
def test_these_brands_have_sound(brand: bytes) -> None:
    assert sniff(b"\0\0\0\x14ftyp" + brand + b"\0\0\0\0isom") == "mov"


@pytest.mark.parametrize(
    "brand",
    [b"heic", b"heix", b"hevc", b"hevx", b"heim", b"mif1", b"mif2", b"msf1", b"miaf", b"avif",
     b"avis"],
)  # fmt: skip
def test_these_brands_are_photos(brand: bytes) -> None:
    assert sniff(b"\0\0\0\x14ftyp" + brand + b"\0\0\0\0isom") is None


@pytest.mark.parametrize(
    "head",
    [
        b"", b"\0" * HEAD_BYTES, b"\xff" * HEAD_BYTES, b"ffconcat version 1.0\nfile 'secret.wav'\n",
        b"#EXTM3U\n#EXTINF:1,\nhttp://example.com/a.ts\n", b"[playlist]\nFile1=a.mp3\n",
        b"<?xml version='1.0'?><MPD></MPD>", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"RIFF\0\0\0\0AVI LIST", b"RIFF\0\0\0\0WEBP", b"RIFX\0\0\0\0WAVE",
        b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0",
        "Umlaute".encode("utf-16"), b"%PDF-1.7", b"PK\x03\x04", b"GIF89a", b"MThd\0\0\0\x06",
        b"\x1a\x45\xdf\xa3\x42\x82\x84fake", b"fLa", b"Ogg", b"FORM\0\0\0\0AIFF",
    ],
)  # fmt: skip
def test_nothing_else_gets_a_demuxer(head: bytes) -> None:
    assert sniff(head) is None


@given(st.binary(max_size=2_000))
def test_any_bytes_get_an_answer(head: bytes) -> None:
    assert sniff(head) in {None, *DEMUXERS.values(), "w64"}


def test_noise_is_no_recording() -> None:
    drawn = np.random.default_rng(0)

    assert not any(sniff(drawn.bytes(HEAD_BYTES)) for _ in range(50))


def test_sniffing_loads_no_library() -> None:
    code = (
        "import sys, pipeline.audio.sniffing; print({'numpy', 'av', 'soundfile'} & {*sys.modules})"
    )
    command = [sys.executable, "-c", code]

    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "set()\n"
