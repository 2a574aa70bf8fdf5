"""Read recordings, each in a locked process of its own; say how each ended and what it took.

`python -m tests.hostile.recordings.cell` reads pickled `Question`s from its standard input, and
writes a line of JSON for each. Once an object is inspected, its process can open no file, no socket
and no program: the kernel kills it if it tries (seccomp). So it does after `CPU_S` of processor
time. It cannot have more than `MEMORY_MB` beside what it has at the start.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import pickle
import platform
import resource
import signal
import struct
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import av.subtitles.codeccontext
import av.subtitles.stream  # noqa: F401 - PyAV does so once a file has a text
import numpy as np

from containers.audio_reader.jobs import read_audio
from containers.media_inspector.handler import handler as inspect
from pipeline import task
from pipeline.artifacts import Artifact, LocalStore, Location, Stat, Upload
from pipeline.audio.flac import decode_flac
from pipeline.audio.samples import Samples
from pipeline.contracts.transcript import ReadAudio
from pipeline.errors import NamedError
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.pipeline.audio.recordings import encoded, tones
from tests.pipeline.containers.greeter.calls import LAMBDA
from tests.voice_models import stock_voice

CPU_S: Final = 60
MEMORY_MB: Final = 512
UNLOCKED: Final = "cannot be locked on this kind of computer"

_BUCKET: Final = "photos"
_WEIGHTS: Final = Location("models", "loudness.json")
_ROW: Final = """
[[models]]
name = "loudness"
container = "audio-reader"
summary = "For tests."
engine = "silero"
licence = "MIT"
commercial = true
memory_mb = 1769
silero = {{ onset = 0.5, offset = 0.35 }}

[[models.files]]
name = "loudness.onnx"
digest = "sha256:{sha256}"
urls = ["file:loudness.onnx"]
"""
# Numbers of openat, openat2, socket, connect, execve, execveat; and of open, which arm64 lacks.
_FORBIDDEN: Final = {
    "x86_64": (257, 437, 41, 42, 59, 322, 2),
    "aarch64": (56, 437, 198, 203, 221, 281),
}
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of Linux' BPF
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2


@dataclass(frozen=True, eq=False)
class Question:
    """An object and what is asked for it. With `heard`, what is read is compared with it."""

    key: str
    content: bytes
    metadata: dict[str, str]
    options: Any
    heard: Samples | None


class Memory(LocalStore):
    """A store that opens no file."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.objects: dict[tuple[str, str], bytes] = {}
        self.metadata: dict[str, str] = {}

    def stat(self, location: Location) -> Stat:
        return super().stat(location)._replace(metadata=self.metadata)

    def read(self, location: Location) -> bytes:
        try:
            return self.objects[location[:2]]
        except KeyError:
            raise KeyError(location.uri) from None

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:  # noqa: ARG002
        self.objects[location[:2]] = bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return Artifact(uri=location.uri, sha256=digest, bytes=len(content))

    def download(self, location: Location, path: Path) -> None:
        path.write_bytes(self.read(location))

    def begin(self, location: Location) -> Upload:
        return _Pieces(self, location)


class _Pieces:
    def __init__(self, store: Memory, location: Location) -> None:
        self._store, self._location = store, location
        self._content = bytearray()

    def write(self, content: bytes) -> None:
        self._content += content

    def complete(self) -> None:
        self._store.objects[self._location[:2]] = bytes(self._content)

    def abort(self) -> None:
        self._content.clear()


def main() -> None:
    """Answer until the standard input ends. One recording is read beforehand: all is loaded."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())  # the handlers' logs
    os.dup2(null, sys.stderr.fileno())  # FFmpeg's complaints
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        store = _furnished(Path(folder))
        for content in (encoded(tones(1, 48_000), ".flac"), b"RIFF\0\0\0\0WAVE"):
            _ask(Question("warm.flac", content, {}, {"denoise": True}, None), store, locked=False)
        while header := sys.stdin.buffer.read(8):
            question = pickle.loads(_exactly(sys.stdin.buffer, *struct.unpack("<Q", header)))  # noqa: S301 - from the test that started it
            answers.write(json.dumps(_apart(question, store)) + "\n")
            answers.flush()


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    assert len(content) == count
    return content


def _furnished(folder: Path) -> Memory:
    """Return a store with a network that hears speech in what is loud; the handlers work on it."""
    store = Memory()
    content = stock_voice(folder).read_bytes()
    artifact = store.write(Location("models", "loudness.onnx"), content, media_type="")
    overlay = folder / "catalogue.toml"
    overlay.write_text(_ROW.format(sha256=artifact.sha256))
    file = StagedFile(
        name="loudness.onnx", digest=f"sha256:{artifact.sha256}", source="test", artifact=artifact
    )
    weights = StagedWeights(model="loudness", licence="MIT", files=(file,))
    store.write(_WEIGHTS, weights.model_dump_json().encode(), media_type="")
    settings = Settings(catalogue_overlays=(overlay,), scratch=folder / "scratch")
    task.equip(Workbench(root=ROOT, settings=settings, store=store))
    return store


def _apart(question: Question, store: Memory) -> dict[str, Any]:
    """Answer in a child, and say how it died if it did."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        said = json.dumps(_measured(question, store)).encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status, usage = os.wait4(child, 0)
    died = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    answer = json.loads(said) if said else {"end": _death(died)}
    return {**answer, "cpu_s": usage.ru_utime + usage.ru_stime}


def _death(number: int) -> str:
    deaths = {signal.SIGSYS: "opened something", signal.SIGXCPU: "hung", signal.SIGKILL: "hung"}
    return deaths.get(number, f"died of signal {number}")  # type: ignore[call-overload, no-any-return]


def _measured(question: Question, store: Memory) -> dict[str, Any]:
    Path("/proc/self/clear_refs").write_text("5")
    before = _kilobytes("VmRSS")
    limit = _kilobytes("VmData") * 2**10 + MEMORY_MB * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    status = os.open("/proc/self/status", os.O_RDONLY)  # later none can be opened
    try:
        answer = _ask(question, store, locked=True)
    except NamedError as error:
        answer = {"end": type(error).__name__, "message": error.message}
    except MemoryError:
        answer = {"end": "out of memory"}
    except Exception as error:  # noqa: BLE001 - the test shows it
        answer = {"end": "a bug", "message": repr(error)[:1_000]}
    took = _kilobytes("VmHWM", os.pread(status, 10_000, 0).decode()) - before
    return {**answer, "took_mb": took / 2**10}


def _kilobytes(figure: str, status: str = "") -> int:
    status = status or Path("/proc/self/status").read_text()
    return int(status.partition(f"{figure}:")[2].split()[0])


def _ask(question: Question, store: Memory, *, locked: bool) -> dict[str, Any]:
    store.objects[_BUCKET, question.key] = question.content
    store.metadata = question.metadata
    common = {"schema": 1, "execution": "arn:aws:states:::execution:transcript:hostile"}
    given: dict[str, Any] = {"bucket": _BUCKET, "key": question.key}
    if question.options is not None:
        given["options"] = question.options
    try:
        inspected = inspect(
            {**common, "input": given, "product": "transcript", "lease_s": 60, "hands_over": True,
             "default_models": {"voice": "loudness", "speech": "whisper-base",
                                "denoise": "deepfilternet3"}},
            LAMBDA,
        )  # fmt: skip
        job = inspected["job"]
        if locked:
            _lock()
        keep = job["options"]["denoise"] or question.heard is not None
        event = {
            **common, "job_id": job["job_id"], "source": job["source"], "model": "loudness",
            "models_bucket": _WEIGHTS.bucket, "weights_key": _WEIGHTS.key, "keep_recorded": keep,
            "keep_sound": False,
            "work_bucket": "work", "work_prefix": job["work_prefix"],
        }  # fmt: skip
        context = TaskContext(task.workbench_of(ROOT))
        result = read_audio(ReadAudio.model_validate(event), context)
    except NamedError as error:
        if locked:
            raise
        return {"end": type(error).__name__}
    changed = None
    if question.heard is not None and result.recorded is not None:
        recorded = store.read(Location.parse(result.recorded.uri))
        changed = _changed(question.heard, decode_flac(recorded)[0])
    return {
        "end": "read", "recording": result.recording.model_dump(mode="json"), "changed": changed,
        "windows": len(result.windows), "speech_s": result.speech_s, "options": job["options"],
    }  # fmt: skip


def _changed(own: Samples, heard: Samples) -> float:
    """Return the share of the energy of `own` that is another one in the beginning of `heard`."""
    if heard.shape[1] != own.shape[1] or len(heard) < len(own):
        return 1.0
    return float(np.square(own - heard[: len(own)]).sum() / max(np.square(own).sum(), 1e-9))


def _lock() -> None:
    """Let the kernel kill this process if it opens anything."""
    forbidden = _FORBIDDEN.get(platform.machine())
    if forbidden is None:
        raise OSError(UNLOCKED)
    steps = [(_LOAD, 0, 0, 0)]
    steps += [(_JUMP_IF_EQUAL, len(forbidden) - i, 0, n) for i, n in enumerate(forbidden)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _KILL)]
    code = b"".join(struct.pack("<HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _FILTER, program, 0, 0
    ):
        raise OSError(ctypes.get_errno(), UNLOCKED)


if __name__ == "__main__":
    main()
