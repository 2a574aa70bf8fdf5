"""Every format becomes the samples that were encoded; damage, gaps and odd files are told apart."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from containers.audio_reader import decoding
from containers.audio_reader.decoding import opened
from pipeline.audio.samples import Samples
from pipeline.audio.sniffing import sniff
from pipeline.contracts.transcript import Recording
from pipeline.errors import (
    CorruptMedia,
    MediaTooLong,
    NoAudio,
    StoreUnavailable,
    UnsupportedMedia,
)
from tests.pipeline.audio.recordings import KINDS, Kind, encoded, tones, written

# Samples by which an encoder delays the sound without saying so in the file.
DELAYS = {".aac": 1_024, ".wma": -2_048}


def decode(
    content: bytes, demuxer: str | None = None, *, denoised: bool = False
) -> tuple[Samples, Recording]:
    with opened(io.BytesIO(content), demuxer or str(sniff(content)), denoised=denoised) as sound:
        assert sound is not None
        return np.concatenate(list(sound.blocks())), sound.recording()


def lag(own: Samples, heard: Samples, start: float, end: float, *, rate: int = 48_000) -> float:
    """Return by how many seconds one is earlier in this part of the time, where both are alike."""
    part = slice(int(start * rate), int(end * rate))
    spectrum = np.fft.rfft(own[part, 0]) * np.conj(np.fft.rfft(heard[part, 0]))
    place = int(np.argmax(np.fft.irfft(spectrum)))
    count = part.stop - part.start
    return (place - count if place > count // 2 else place) / rate


def wave(
    samples: np.ndarray[tuple[int, ...], np.dtype[np.generic]],
    rate: int = 8_000,
    subtype: str = "PCM_16",
    **options: str,
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, **{"format": "WAV", **options})
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("suffix", KINDS)
def test_every_format_of_the_product_keeps_its_samples(suffix: str, channels: int) -> None:
    kind = KINDS[suffix]
    if suffix == ".ogg" and channels == 1:
        pytest.skip("FFmpeg's encoder of Vorbis writes stereo only")
    own = tones(3, kind.rate, channels)

    samples, recording = decode(encoded(own, suffix))

    delay = DELAYS.get(suffix, 0)
    heard = samples[max(delay, 0) :]
    wanted = own[max(-delay, 0) :][: len(heard)]
    difference = wanted - heard[: len(wanted)]
    assert np.square(difference).sum() <= kind.error * np.square(wanted).sum()
    assert (recording.rate, recording.channels) == (kind.rate, channels)
    assert recording.duration_s == len(samples) / kind.rate == pytest.approx(3, abs=0.1)
    assert recording.codec == {
        "pcm_s16le": "pcm_s16le",
        "libmp3lame": "mp3",
        "libopus": "opus",
    }.get(kind.codec, kind.codec)
    assert recording.remarks == ()


def test_channels_stay_apart() -> None:
    left = tones(1, 48_000, 2)
    left[:, 1] = 0

    samples, _ = decode(encoded(left, ".flac"))

    assert not samples[:, 1].any()
    assert np.abs(samples - left).max() < 1e-3


@pytest.mark.parametrize(
    ("subtype", "error", "bits"),
    [("PCM_U8", 2**-7, 16), ("PCM_16", 2**-15, 16), ("PCM_24", 2**-23, 24), ("PCM_32", 2**-24, 24),
     ("FLOAT", 0, 24), ("DOUBLE", 1e-7, 24), ("ALAW", 0.03, 16), ("ULAW", 0.03, 16)],
)  # fmt: skip
def test_samples_of_any_depth_are_of_full_scale(subtype: str, error: float, bits: int) -> None:
    own = np.random.default_rng(0).uniform(-1, 1, (5_000, 2)).astype(np.float32)
    content = wave(own, subtype=subtype)

    with opened(io.BytesIO(content), "wav", denoised=False) as sound:
        assert sound is not None
        samples = np.concatenate(list(sound.blocks()))
        assert sound.bits == bits
    assert np.abs(samples - own).max() <= error


@pytest.mark.parametrize(("suffix", "bits"), [(".mp3", 16), (".m4a", 16), (".flac", 16)])
def test_what_lossy_codecs_decode_has_16_bits(suffix: str, bits: int) -> None:
    with opened(
        io.BytesIO(encoded(tones(1, 48_000, 2), suffix)),
        str(sniff(encoded(tones(1, 48_000, 2), suffix))),
        denoised=False,
    ) as sound:
        assert sound is not None
        assert sound.bits == bits


@pytest.mark.parametrize("channels", [6, 8])
@pytest.mark.parametrize("suffix", [".flac", ".m4a", ".opus"])
def test_surround_sound_keeps_its_channels(suffix: str, channels: int) -> None:
    own = tones(1, 48_000, channels)

    samples, recording = decode(encoded(own, suffix))

    assert (recording.channels, samples.shape[1]) == (channels, channels)
    if suffix == ".flac":
        assert np.abs(samples - own).max() < 1e-3


@pytest.mark.parametrize("form", ["RF64", "W64"])
def test_wave_files_above_4_gb_are_read(form: str) -> None:
    own = tones(1, 8_000)

    samples, _ = decode(wave(own, format=form))

    assert np.abs(samples - own).max() < 1e-4


def test_no_number_is_silence_and_is_counted() -> None:
    own = tones(1, 8_000)
    own[100:103, 0] = [np.nan, np.inf, -np.inf]
    own[200, 0] = 1e30

    samples, recording = decode(wave(own, subtype="FLOAT"))

    assert samples[100:103, 0].tolist() == [0, 0, 0]
    assert samples[200, 0] == 1
    assert recording.remarks == ("Samples that were no numbers, and are silence now: 3.",)


def test_a_film_has_its_sound_at_its_time() -> None:
    own = tones(2, 48_000, 2)

    samples, recording = decode(written(own, KINDS[".mp4"], film=True))

    assert np.square(own - samples[: len(own)]).sum() <= 0.05 * np.square(own).sum()
    assert recording.remarks == ()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_film_without_sound_is_no_error(suffix: str) -> None:
    film = written(tones(1, 48_000), KINDS[suffix], film=True, tracks=0)

    with opened(io.BytesIO(film), str(sniff(film)), denoised=True) as sound:
        assert sound is None


def test_the_default_track_is_read_and_named() -> None:
    own = tones(1, 48_000, 2)
    film = written(own, Kind("matroska", "flac", sample_format="s16"), film=True, tracks=3)

    samples, recording = decode(film)

    assert np.abs(samples - own).max() < 1e-3
    assert recording.remarks == ("The file has 3 sound tracks; track 1 was read.",)


def test_a_file_that_has_neither_sound_nor_a_film_has_no_audio() -> None:
    no_track = encoded(tones(1, 48_000), ".m4a").replace(b"trak", b"free")

    with pytest.raises(NoAudio, match="neither a sound track nor pictures"):
        decode(no_track)


@pytest.mark.parametrize(
    "suffix", [".wav", ".mp3", ".flac", ".ogg", ".opus", ".aac", ".wma", ".mkv"]
)
def test_a_truncated_recording_is_read_as_far_as_it_goes(suffix: str) -> None:
    own = tones(6, KINDS[suffix].rate, 2)
    content = encoded(own, suffix)

    samples, _ = decode(content[: len(content) // 2])

    assert 1.9 < len(samples) / KINDS[suffix].rate < 4.5


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".mkv"])
def test_a_header_that_states_more_is_remarked(suffix: str) -> None:
    content = encoded(tones(6, 48_000), suffix)

    _, recording = decode(content[: len(content) // 2])

    (remark,) = [each for each in recording.remarks if each.startswith("The file states")]
    assert remark.startswith("The file states 6.0 s of sound; ")
    assert recording.duration_s < 4


def test_a_wav_that_was_cut_off_is_remarked() -> None:
    """FFmpeg believes the length of the file there, and not its header."""
    whole = wave(np.zeros(8_000, np.int16))

    _, recording = decode(whole[:8_044])

    assert recording.duration_s == 0.5
    (remark,) = recording.remarks
    assert remark == "The file ends early: it states 16,044 bytes, and has 8,044."


@pytest.mark.parametrize("size", [0, 0x7FFF_F024, 0xFFFF_FFFF])
def test_a_wav_that_was_written_to_a_pipe_is_not_cut_off(size: int) -> None:
    whole = wave(np.zeros(8_000, np.int16))

    _, recording = decode(whole[:4] + struct.pack("<I", size) + whole[8:])

    assert recording.remarks == ()


@pytest.mark.parametrize("suffix", [".m4a", ".mp4", ".mov"])
def test_a_file_whose_index_is_lost_is_corrupt(suffix: str) -> None:
    content = encoded(tones(3, 48_000), suffix)

    with pytest.raises(CorruptMedia):
        decode(content[: len(content) // 2])


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".aac", ".opus", ".m4a", ".mkv", ".wma"])
def test_what_follows_damage_in_the_middle_keeps_its_time(suffix: str) -> None:
    kind = KINDS[suffix]
    own = tones(8, kind.rate, 2)
    content = bytearray(encoded(own, suffix))
    middle = len(content) // 2
    content[middle : middle + 600] = np.random.default_rng(5).bytes(600)

    samples, recording = decode(bytes(content))

    assert abs(lag(own, samples, 6.5, 7.5, rate=kind.rate)) < 0.1
    assert recording.duration_s == pytest.approx(8, abs=0.2)


@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_damage_has_a_named_end(suffix: str, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    content = bytearray(encoded(tones(1, KINDS[suffix].rate, 2), suffix))
    for _ in range(20):
        content[int(drawn.integers(12, len(content)))] = int(drawn.integers(256))

    try:
        samples, recording = decode(
            bytes(content), str(sniff(encoded(tones(0.5, KINDS[suffix].rate, 2), suffix)))
        )
    except (CorruptMedia, UnsupportedMedia, NoAudio, MediaTooLong):
        return
    assert np.isfinite(samples).all()
    assert recording.duration_s == len(samples) / recording.rate


@pytest.mark.parametrize("demuxer", ["wav", "aac", "flac", "ogg", "mov", "matroska", "asf"])
def test_noise_is_corrupt(demuxer: str) -> None:
    noise = np.random.default_rng(1).bytes(200_000)

    with pytest.raises((CorruptMedia, NoAudio, UnsupportedMedia)):
        decode(noise, demuxer)


def test_an_empty_recording_is_corrupt() -> None:
    with pytest.raises(CorruptMedia, match="no sound can be decoded"):
        decode(wave(np.zeros((0, 1))))


def wave_header(rate: int, channels: int) -> bytes:
    content = wave(np.zeros((4_000, 1)))
    fields = struct.pack("<HIIH", channels, rate, rate * channels * 2 % 2**32, channels * 2 % 2**16)
    return content[:22] + fields + content[34:]


@pytest.mark.parametrize(
    ("rate", "channels"), [(1, 1), (3_999, 1), (192_001, 1), (4 * 10**9, 1), (8_000, 33)]
)
def test_rates_and_channels_outside_the_limits_are_refused(rate: int, channels: int) -> None:
    with pytest.raises((UnsupportedMedia, CorruptMedia)):
        decode(wave_header(rate, channels))


@pytest.mark.parametrize(("rate", "channels"), [(1, 1), (192_001, 1), (8_000, 33)])
def test_these_are_refused_for_what_they_are(rate: int, channels: int) -> None:
    with pytest.raises(UnsupportedMedia, match=r"samples a second|channels"):
        decode(wave_header(rate, channels))


@pytest.mark.parametrize("claimed", [0, 1_000, 2**32 - 1])
def test_a_header_that_lies_about_bytes_is_only_remarked(claimed: int) -> None:
    own = tones(3, 8_000)
    content = bytearray(wave(own))
    content[40:44] = struct.pack("<I", claimed)

    try:
        samples, _ = decode(bytes(content))
    except CorruptMedia:
        assert claimed == 0
    else:
        assert len(samples) in {500, len(own)}


def test_the_limit_counts_what_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.audio.limits.MAX_HOURS", 2 / 3600)
    decode(encoded(tones(2, 48_000), ".flac"))

    with pytest.raises(MediaTooLong, match="hours of sound"):
        decode(encoded(tones(2.1, 48_000), ".flac"))


def test_denoising_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.audio.limits.MAX_DENOISED_CHANNEL_HOURS", 2 / 3600)
    content = encoded(tones(1.5, 48_000, 2), ".flac")
    decode(content)

    with pytest.raises(MediaTooLong, match="can be denoised"):
        decode(content, denoised=True)


class Watched(io.BytesIO):
    """A file that fails at its read number `fails`, as a store may."""

    def __init__(self, content: bytes, fails: int) -> None:
        super().__init__(content)
        self.fails = fails
        self.reads = 0

    def read(self, count: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads == self.fails:
            raise StoreUnavailable("S3 did not answer")
        return super().read(count)


@pytest.mark.parametrize("suffix", KINDS)
def test_an_error_of_the_store_is_never_damage(
    suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_BUFFER_BYTES", 4_096)
    content = encoded(tones(2, KINDS[suffix].rate, 2), suffix)

    for fails in range(1, 100):
        file = Watched(content, fails)
        try:
            with opened(file, str(sniff(content)), denoised=False) as sound:
                assert sound is not None
                list(sound.blocks())
        except StoreUnavailable:
            continue
        break
    assert 3 < fails == file.reads + 1


ATTACKS = {
    "concat": b"ffconcat version 1.0\nfile '%s'\n",
    "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://%s\n#EXT-X-ENDLIST\n",
    "dash": b"<?xml version='1.0'?><MPD><Period><BaseURL>file://%s</BaseURL></Period></MPD>",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n%s",
    "wav": b"%s",
    "lavfi": b"sine=frequency=1000 %s",
}


@pytest.mark.parametrize("demuxer", [*ATTACKS, "mov", "matroska", "data", "s16le", "mpegts", ""])
@pytest.mark.parametrize("text", ATTACKS)
def test_a_text_that_names_a_file_opens_nothing(tmp_path: Path, text: str, demuxer: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wave(tones(1, 8_000)))
    content = ATTACKS[text] % str(secret).encode()

    assert sniff(content) is None
    with pytest.raises((UnsupportedMedia, CorruptMedia)):
        decode(content, demuxer)


def test_a_quicktime_reference_to_another_file_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wave(tones(1, 8_000)))
    film = written(tones(1, 48_000), KINDS[".mov"])
    alias = b"url " + b"\0\0\0\0" + f"file://{secret}".encode() + b"\0"
    entry = struct.pack(">I", len(alias) + 4) + alias
    own = struct.pack(">I", 12) + b"url \0\0\0\1"
    assert own in film
    grown = film.replace(own, entry)

    try:
        samples, _ = decode(grown, "mov")
    except (CorruptMedia, UnsupportedMedia):
        return
    assert len(samples) != 8_000


def test_a_codec_that_is_not_listed_is_not_opened() -> None:
    film = written(tones(1, 48_000, 2), Kind("matroska", "tta", sample_format="s16"))

    with pytest.raises(UnsupportedMedia, match="sound in tta"):
        decode(film)


@pytest.mark.parametrize("muxer", ["mp2", "matroska", "mpegts"])
def test_mp2_is_read_where_its_file_is(muxer: str) -> None:
    own = tones(2, 48_000)
    content = written(own, Kind(muxer, "mp2"))

    if muxer == "mpegts":
        assert sniff(content) is None
        return
    _, recording = decode(content)
    assert recording.codec == "mp2"
    assert recording.duration_s == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("tag", [b"enca", b"drms", b"aavd"])
def test_encrypted_sound_is_not_decoded_as_noise(tag: bytes) -> None:
    content = encoded(tones(2, 48_000), ".m4a").replace(b"mp4a", tag)

    with pytest.raises(UnsupportedMedia, match="encrypted"):
        decode(content)


def test_wma_with_drm_is_not_decoded_as_noise() -> None:
    content = encoded(tones(2, 44_100), ".wma")
    size, count = struct.unpack_from("<QI", content, 16)
    texts = b"".join(
        struct.pack("<I", len(each)) + each for each in (b"", b"DRM\0", b"1\0", b"x\0")
    )
    guid = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    drm = guid + struct.pack("<Q", 24 + len(texts)) + texts
    head = struct.pack("<QI", size + len(drm), count + 1)

    with pytest.raises(UnsupportedMedia, match="encrypted"):
        decode(content[:16] + head + content[28:30] + drm + content[30:])


def test_files_of_one_codec_that_were_joined_are_read_to_the_end() -> None:
    joined = encoded(tones(2, 48_000, 2), ".mp3") + written(
        tones(2, 24_000, 1), Kind("mp3", "libmp3lame", rate=24_000), options={"write_xing": "0"}
    )

    samples, recording = decode(joined)

    assert samples.shape[1] == 2
    assert recording.duration_s == pytest.approx(4, abs=0.3)
    assert "The rate or the number of channels changes within the recording." in recording.remarks


def test_missing_sound_is_silence_of_the_same_length() -> None:
    own = tones(3, 48_000)
    source = written(own, KINDS[".webm"])
    result = io.BytesIO()
    with av.open(io.BytesIO(source), "r") as read, av.open(result, "w", format="webm") as out:
        stream = out.add_stream_from_template(read.streams.audio[0])
        for packet in read.demux(read.streams.audio[0]):
            if packet.pts is not None and not 1_000 <= packet.pts < 2_000:
                packet.stream = stream
                out.mux(packet)

    samples, recording = decode(result.getvalue())

    assert recording.duration_s == pytest.approx(3, abs=0.05)
    assert not samples[52_000:94_000].any()
    assert abs(lag(own, samples, 2.1, 2.9)) < 0.05
    assert recording.remarks == ("Missing sound of 1.0 s is silence in what was decoded.",)


MEASURED = """
import resource, sys
from containers.audio_reader.decoding import opened
with open(sys.argv[1], "rb") as file, opened(file, "flac", denoised=False) as sound:
    seconds = sum(map(len, sound.blocks())) / sound.shape.rate
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    def measure(seconds: int) -> tuple[float, int]:
        path = tmp_path / "long.flac"
        soundfile.write(path, np.zeros(seconds * 48_000, np.int16), 48_000)
        command = [sys.executable, "-c", MEASURED, str(path)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        return float(said[0]), int(said[1])

    (short, little), (long, much) = measure(30), measure(1_200)

    assert (short, long) == (30, 1_200)
    assert much < little + 8_000  # the samples alone are 225 MB
