"""What of FFmpeg may read untrusted bytes: these demuxers and decoders, and no other."""

from __future__ import annotations

import typing
from typing import Final

from pipeline.audio.samples import Bits
from pipeline.audio.sniffing import Demuxer

DEMUXERS: Final[frozenset[str]] = frozenset(typing.get_args(Demuxer))

_PCM: Final = frozenset(
    f"pcm_{kind}"
    for kind in (
        "u8", "s8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f32be", "f64le",
        "f64be", "alaw", "mulaw",
    )
)  # fmt: skip
_LOSSLESS: Final = frozenset({"flac", "alac", "wmalossless"})
_LOSSY: Final = frozenset({
    "mp1", "mp2", "mp3float", "mp3", "aac", "vorbis", "opus", "libopus", "speex", "ac3",
    "eac3", "dca", "wmav1", "wmav2", "wmapro", "wmavoice", "adpcm_ms", "adpcm_ima_wav",
    "adpcm_ima_qt", "gsm", "gsm_ms", "amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb",
})  # fmt: skip

DECODERS: Final = _PCM | _LOSSLESS | _LOSSY  # as FFmpeg calls them

_NARROW: Final = frozenset({"u8", "u8p", "s16", "s16p"})

# FFmpeg's own lists, in case a demuxer opens another file, or guesses: there is no protocol to open
# anything with, and it looks into the sound of a file only with these decoders.
OPTIONS: Final = {
    "protocol_whitelist": "none",
    "format_whitelist": ",".join(sorted(DEMUXERS | {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})),
    "codec_whitelist": ",".join(sorted(DECODERS)),
}


def bits_of(decoder: str, sample_format: str) -> Bits:
    """Return the bits that keep what the file has: 24 if it is lossless and has more than 16."""
    return 24 if decoder not in _LOSSY and sample_format not in _NARROW else 16
