"""Files of every format cut short, files that are none, and names that say something else."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from PIL import Image

from tests.hostile.recordings.case import READ, Case, bad, good
from tests.hostile.recordings.waves import CORRUPT, UNSUPPORTED, wave
from tests.pipeline.audio.recordings import KINDS, encoded, tones

U, C, R = UNSUPPORTED, CORRUPT, READ
# The ends of a file of 4 s of which there are 1, 10, 100 and 1,000 bytes, half, all but one byte.
ENDS: Final = {
    ".wav": (U, U, R, R, R, R),
    ".mp3": (U, C, U, R, R, R),
    ".m4a": (U, C, C, C, C, R),
    ".flac": (U, C, C, C, R, R),
    ".ogg": (U, C, C, C, R, R),
    ".opus": (U, C, C, C, R, R),
    ".aac": (U, U, U, R, R, R),
    ".wma": (U, U, C, C, R, R),
    ".mp4": (U, C, C, C, C, R),
    ".mov": (U, C, C, C, C, C),
    ".mkv": (U, U, C, C, R, R),
    ".webm": (U, U, C, C, R, R),
}


def cases() -> Iterator[Case]:
    yield from _cut()
    yield from _others()
    yield from _names()


def _cut() -> Iterator[Case]:
    for suffix, ends in ENDS.items():
        whole = encoded(tones(4, KINDS[suffix].rate, 2), suffix)
        lengths = (1, 10, 100, 1_000, len(whole) // 2, len(whole) - 1)
        spans = ((0, 0), (0, 0), (0, 0.01), (0, 0.3), (0.9, 2.7), (3.8, 4.1))
        for length, end, span in zip(lengths, ends, spans, strict=True):
            name = f"{length} bytes of {suffix[1:].upper()}, of {len(whole)}"
            yield Case(name, partial(bytes, whole[:length]), end, span, remarks=None)


def _others() -> Iterator[Case]:
    noise = np.random.default_rng(11).bytes(100_000)
    yield bad("no bytes", bytes, UNSUPPORTED)
    yield bad("zeros", partial(bytes, 100_000), UNSUPPORTED)
    yield bad("random bytes", partial(bytes, noise), UNSUPPORTED)
    yield bad("ones", partial(bytes, b"\xff" * 100_000), UNSUPPORTED)
    for name, head in {
        "text": b"hello, world\n" * 100,
        "PDF": b"%PDF-1.7\n%\xe2\xe3",
        "ELF": b"\x7fELF\2\1\1" + bytes(900),
        "EXE": b"MZ" + bytes(900),
        "gzip": b"\x1f\x8b\x08" + bytes(900),
        "SQLite": b"SQLite format 3\0" + bytes(900),
        "script": b"#!/bin/sh\nreboot\n",
        "HTML": b"<!DOCTYPE html><audio src='/etc/passwd'>",
        "AVI": b"RIFF\xff\0\0\0AVI LIST",
        "MIDI": b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk",
        "FLV": b"FLV\1\5\0\0\0\x09",
        "MPEG-TS": b"G\x40\0\x10" + b"\xff" * 900,
        "AMR": b"#!AMR\n" + bytes(900),
        "Monkey's Audio": b"MAC \x96\x0f" + bytes(900),
        "WavPack": b"wvpk" + bytes(900),
        "DSF": b"DSD \x1c" + bytes(900),
        "RealMedia": b".RMF\0\0\0\x12",
        "tracker module": b"Extended Module: " + bytes(900),
        "SWF": b"FWS\x06" + bytes(900),
        "ID3 and text": b"ID3\x04\0\0\0\0\0\0hello",
    }.items():
        yield bad(name, partial(bytes, head), UNSUPPORTED)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("talk.wav", wave())
    yield bad("ZIP of a recording", file.getvalue, UNSUPPORTED)
    yield good("WAV followed by a ZIP", partial(wave, after=file.getvalue()), 2)
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"):
        yield bad(f"photo: {kind}", partial(_photo, kind), "OtherMedia")
    for kind in ("JPEG", "PNG"):
        yield bad(f"{kind} followed by a WAV", partial(bytes, _photo(kind) + wave()), "OtherMedia")
        inside = struct.pack("<I", len(_photo(kind)))
        before = b"junk" + inside + _photo(kind) + b"\0" * (len(_photo(kind)) % 2)
        yield good(f"WAV with a {kind} in it", partial(wave, before=before), 2)


def _photo(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, kind)
    return file.getvalue()


def _names() -> Iterator[Case]:
    for key in (
        "talk.jpg",
        "talk",
        "talk.MP3",
        "talk.mP3",
        "talk.txt",
        ".mp3",
        "talk.mp3.exe",
        "a/b//c.mp3",
        "talk\n.mp3",
        "-i.mp3",
        "file:talk.mp3",
        "http://x/talk.mp3",
        "%d.mp3",
        "talk%03d.wav",
        "concat:a|b.mp3",
        "사진 😀.mp3",
        "é" * 400 + ".mp3",
        "talk.ffconcat",
        "talk.m3u8",
        "pipe:0",
        "..",
        "/etc/passwd",
    ):
        if key != "..":
            yield good(f"WAV called {key!r:.40}", wave, 2, key=key)
    for metadata, end in (
        ({"matteline-model": "whisper-9"}, "UnknownModel"),
        ({"matteline-language": "klingon"}, "InvalidOptions"),
        ({"matteline-language": "tlh"}, "InvalidOptions"),
        ({"matteline-denoise": "perhaps"}, "InvalidOptions"),
        ({"matteline-attenuation-db": "12"}, "InvalidOptions"),
        ({"matteline-concurrency": "0"}, "InvalidOptions"),
        ({"matteline-concurrency": "41"}, "InvalidOptions"),
        ({"matteline-prompt": "x" * 601}, "InvalidOptions"),
        ({"matteline-prompt": " "}, "InvalidOptions"),
        ({"matteline-prompts": "[]"}, "InvalidOptions"),
        ({"matteline-align": "whisper-base"}, "UnknownModel"),
        ({"matteline-model": "deepfilternet3"}, "UnknownModel"),
        ({"matteline-model": "u2net"}, "UnknownModel"),
        ({"matteline-voice": "loudness"}, "InvalidOptions"),
        ({"matteline-denoised-format": "wav"}, "InvalidOptions"),
        ({"matteline-transcribe-denoised": "true"}, "InvalidOptions"),
        ({"matteline-": "1"}, "InvalidOptions"),
        ({"matteline-attenuation_db": "NaN", "matteline-denoise": "true"}, "InvalidOptions"),
        ({"matteline-attenuation_db": "1e999", "matteline-denoise": "true"}, "InvalidOptions"),
        ({"matteline-keep_recorded": "true"}, "InvalidOptions"),
        ({"matteline-prompt": "<|endoftext|><|startoftranscript|>"}, READ),
        ({"matteline-prompt": "=?utf-8?q?=F0=9F=98=80?="}, READ),
        ({"matteline-language": "de"}, READ),
        ({"author": "Ada", "language": "xx"}, READ),
    ):
        yield Case(f"metadata {metadata!r:.60}", wave, end, metadata=metadata)
    for options, end in (
        ({"language": 1}, "InvalidOptions"),
        ({"language": "EN"}, "InvalidOptions"),
        ({"prompt": ["x"]}, "InvalidOptions"),
        ({"prompt": "\ud800"}, "InvalidOptions"),
        ({"prompt": "😀" * 600}, READ),
        ({"prompt": "\0" * 600}, READ),
        ({"prompt": "\u202e\u2028\ufeff" * 200}, READ),
        ({"concurrency": True}, "InvalidOptions"),
        ({"concurrency": 2.5}, "InvalidOptions"),
        ({"attenuation_db": True, "denoise": True}, "InvalidOptions"),
        ({"attenuation_db": -1, "denoise": True}, "InvalidOptions"),
        ({"denoise": "yes"}, READ),
        ({"denoise": 7}, "InvalidOptions"),
        ({"translate": None}, "InvalidOptions"),
        ({"model": None}, "InvalidOptions"),
        ({"model": "../whisper"}, "UnknownModel"),
        ({"align": ""}, "UnknownModel"),
        ({"format": "mov"}, "InvalidOptions"),
        ([], "InvalidOptions"),
        ("denoise", "InvalidOptions"),
    ):
        yield Case(f"options {ascii(options)[:60]}", wave, end, options=options)
