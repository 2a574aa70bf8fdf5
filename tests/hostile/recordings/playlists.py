"""Texts that name other files: playlists, manifests and scripts, under every name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from tests.hostile.recordings.case import Case, bad

SUFFIXES: Final = (
    ".wav",
    ".mp3",
    ".m4a",
    ".flac",
    ".ogg",
    ".opus",
    ".aac",
    ".wma",
    ".mp4",
    ".mov",
    ".mkv",
    ".webm",
    ".m3u8",
    ".ffconcat",
    "",
    ".MP3",
)
NAMED: Final = (
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:9/a.wav",
    "https://169.254.169.254/",
    "pipe:0",
    "fd:3",
    "data:audio/wav;base64,AAAA",
    "concat:/etc/passwd|/etc/hosts",
    "subfile,,start,0,end,9,,:/etc/passwd",
    "crypto:/etc/passwd",
    "tcp://127.0.0.1:9",
    "/dev/zero",
    "cache:/etc/passwd",
    "s3://photos/other.wav",
    "unix:/run/docker.sock",
    "../../etc/passwd",
)
TEXTS: Final = {
    "ffconcat": "ffconcat version 1.0\nfile '{}'\n",
    "M3U": "#EXTM3U\n#EXTINF:10,\n{}\n",
    "HLS": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n",
    "HLS with a key": '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="{0}"\n'
    "#EXTINF:9,\n{0}\n",
    "DASH": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1"><BaseURL>{}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "DASH with an entity": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{}">]>'
    "<MPD>&e;</MPD>",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={}\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "PLS": "[playlist]\nNumberOfEntries=1\nFile1={}\n",
    "XSPF": "<playlist><trackList><track><location>{}</location></track></trackList></playlist>",
    "ASX": '<asx version="3.0"><entry><ref href="{}"/></entry></asx>',
    "SMIL": '<smil><body><audio src="{}"/></body></smil>',
    "RAM": "{}\n",
    "cue sheet": 'FILE "{}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "metadata": ";FFMETADATA1\ntitle={}\n",
    "filter": "amovie={},aformat=s16\n",
    "Smooth Streaming": '<SmoothStreamingMedia><StreamIndex Url="{}"/></SmoothStreamingMedia>',
}


def cases() -> Iterator[Case]:
    for place, (name, text) in enumerate(TEXTS.items()):
        for turn in (0, 7):
            named = NAMED[(place + turn) % len(NAMED)]
            key = f"talk{SUFFIXES[(place + turn) % len(SUFFIXES)]}"
            content = text.format(named).encode()
            yield bad(
                f"{name} of {named} as {key}", partial(bytes, content), "UnsupportedMedia", key=key
            )
    for suffix in SUFFIXES:
        content = TEXTS["ffconcat"].format("/etc/passwd").encode()
        yield bad(
            f"ffconcat as talk{suffix}",
            partial(bytes, content),
            "UnsupportedMedia",
            key=f"talk{suffix}",
        )
    hls = TEXTS["HLS"].format("/etc/passwd").encode()
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    yield bad("HLS behind a tag", partial(bytes, tag + hls), "UnsupportedMedia")
    yield bad(
        "HLS behind a byte order mark", partial(bytes, b"\xef\xbb\xbf" + hls), "UnsupportedMedia"
    )
    yield bad("HLS in UTF-16", partial(bytes, hls.decode().encode("utf-16")), "UnsupportedMedia")
    yield bad(
        "HLS behind a long tag",
        partial(bytes, tag[:6] + b"\0\x08\0\0" + bytes(131_072) + hls),
        "CorruptMedia",
    )
    for start in (b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS\0", b"\0\0\0\x14ftypisom\0\0\0\0isom"):
        yield bad(f"HLS behind {start[:8]!r}", partial(bytes, start + hls), "CorruptMedia")
