"""Send a batch of photos and recordings through the local cloud, and download the results."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.contracts.output_keys import output_stem
from pipeline.session.media import Kind, routed
from pipeline.session.naming import identity
from pipeline.session.own_files import key_of
from pipeline.session.publishing import publish
from pipeline.session.run_messages import MediaEnded, TranscriptProgress
from pipeline.session.running_cloud import CloudRefused, CloudStopped, RunningCloud
from pipeline.session.whole_files import reason_of

Options = Mapping[str, Mapping[str, str]]  # by product

_PATIENCE_S: Final = 5.0  # after an interrupt
_MOST_UPLOADS: Final = 4  # at a time
_MOST_UNDER_WAY: Final = 16  # twice what the largest local cloud runs at a time


@dataclass(frozen=True)
class MediaFile:
    """One file of a batch; `name` is its outputs' path in the output folder, without suffix.

    `kind` is None for a file that becomes no product.
    """

    path: Path
    name: str
    kind: Kind | None


@dataclass(frozen=True)
class Outcome:
    """The result of one file.

    Unless `status` is DONE, `reason` says why. `shown` is then None; else it is the output to show,
    and `record` is the output record. `seconds` is how long the execution took. `key` is what the
    cloud calls the file; empty if it never got it.
    """

    file: MediaFile
    status: str
    model: str = ""
    task_ms: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0
    shown: Path | None = None
    record: Path | None = None
    reason: str = ""
    key: str = ""

    @property
    def done(self) -> bool:
        return self.status == "DONE"


def process(
    cloud: RunningCloud,
    files: Sequence[MediaFile],
    *,
    options: Options,
    output: Path,
    on_progress: Callable[[Outcome | TranscriptProgress], None],
) -> list[Outcome]:
    """Run the state machine for every file and download its outputs.

    `on_progress` gets each outcome as soon as its files are written, in another thread. The
    returned list has the files' order.
    """
    with uploading(cloud, files, options=options) as batch:
        batch.bring_home(output, on_progress)
    return [batch.outcomes[file] for file in files]


@contextmanager
def uploading(
    cloud: RunningCloud, files: Sequence[MediaFile], *, options: Options
) -> Iterator[Batch]:
    """Upload the files, in threads, until the block ends. `options` are those of each product."""
    batch = Batch(cloud, files, options)
    with ThreadPoolExecutor(max_workers=_MOST_UPLOADS) as threads:
        try:
            batch.upload(threads)
            yield batch
        finally:
            batch.leave()


class Batch:
    """Files on their way to a cloud and back. `outcomes` has those that are back.

    Few are uploaded before others have ended: an interrupt leaves little to be stopped, and the
    cloud's disk need not hold them all.
    """

    def __init__(self, cloud: RunningCloud, files: Sequence[MediaFile], options: Options) -> None:
        prefix = cloud.greeting.prefix
        self._keys = {
            f"{prefix}{index}/{identity(file.path)}/{_key_name(file)}": file
            for index, file in enumerate(files)
        }
        self.outcomes: dict[MediaFile, Outcome] = {}
        self._cloud = cloud
        self._metadata = {
            product: {f"matteline-{name}".replace("_", "-"): text for name, text in chosen.items()}
            for product, chosen in options.items()
        }
        self._under_way = threading.Semaphore(_MOST_UNDER_WAY)
        self._told: queue.SimpleQueue[
            Outcome | MediaEnded | TranscriptProgress | BaseException | None
        ] = queue.SimpleQueue()
        self._leaving = threading.Event()

    def upload(self, threads: ThreadPoolExecutor) -> None:
        """Begin to upload the files, and to listen for their executions' ends."""
        for key in self._keys:
            threads.submit(self._upload, key).add_done_callback(self._tell_error)
        threading.Thread(target=self._listen, daemon=True).start()

    def leave(self) -> None:
        """Upload no more files, and cut off those that are on their way."""
        self._leaving.set()
        self._cloud.leave()
        self._under_way.release(len(self._keys) or 1)

    def bring_home(
        self, output: Path, on_progress: Callable[[Outcome | TranscriptProgress], None]
    ) -> None:
        """Write every file's outputs to the output folder as they are ready."""

        def settle(told: Outcome | MediaEnded | TranscriptProgress) -> None:
            if isinstance(told, MediaEnded):
                told = _bring_home(self._cloud, told, self._keys[told.key], output)
            if isinstance(told, Outcome):
                self.outcomes[told.file] = told
            on_progress(told)

        # An interrupt reaches the main thread only: it never falls between two renames of one file
        with ThreadPoolExecutor(max_workers=1) as home:
            try:
                settled = [home.submit(settle, told) for told in self._until_settled()]
            except KeyboardInterrupt:
                # The files whose results are being fetched are finished, if the cloud answers.
                cut_off = threading.Timer(_PATIENCE_S, self._cloud.leave)
                cut_off.daemon = True
                cut_off.start()
                raise
        for future in settled:
            future.result()

    def _until_settled(self) -> Iterator[Outcome | MediaEnded | TranscriptProgress]:
        """Yield how far recordings are, and what becomes of each file, in any order."""
        waiting = dict(self._keys)
        while waiting and (told := self._told.get()):
            if isinstance(told, BaseException):
                raise told
            if isinstance(told, TranscriptProgress):
                yield told
                continue
            key = told.key if isinstance(told, MediaEnded) else self._key_of(told.file)
            if waiting.pop(key, None):
                self._under_way.release()
                yield told
        yield from map(_stopped, waiting.values())

    def _key_of(self, file: MediaFile) -> str:
        return next(key for key, each in self._keys.items() if each is file)

    def _listen(self) -> None:
        for told in self._cloud.told():
            self._told.put(told)
        self._told.put(None)

    def _tell_error(self, done: Future[None]) -> None:
        if not done.cancelled() and (error := done.exception()):
            self._told.put(error)

    def _upload(self, key: str) -> None:
        """Upload one file; tell if its state machine does not start."""
        self._under_way.acquire()
        if self._leaving.is_set():
            return
        file = self._keys[key]
        metadata = self._metadata.get(file.kind.product, {}) if file.kind else {}
        asked = file.kind.metadata if file.kind else {}
        try:
            self._cloud.upload(file.path, key, {**metadata, **asked})
        except OSError as error:
            self._told.put(Outcome(file, "UNREADABLE", reason=reason_of(error)))
        except CloudStopped:
            self._told.put(_stopped(file))
        except CloudRefused as error:
            full = self._cloud.disk_is_full()
            why = f"no space left in {self._cloud.greeting.scratch}" if full else str(error)
            self._told.put(Outcome(file, "FAILED", reason=why))


def _stopped(file: MediaFile) -> Outcome:
    why = f"{CloudStopped.__name__}: the local cloud stopped first. Run the command again."
    return Outcome(file, "FAILED", reason=why)


def _key_name(file: MediaFile) -> str:
    name = _plain(file.path.name)
    return routed(name, file.kind) if file.kind else name


def _plain(name: str) -> str:
    """Replace the characters of a file name that object keys cannot hold, such as line breaks."""
    return re.sub(r"[^\w .,()+\[\]-]", "_", name)


def _bring_home(cloud: RunningCloud, ended: MediaEnded, file: MediaFile, output: Path) -> Outcome:
    outcome = Outcome(
        file,
        ended.verdict,
        ended.model,
        ended.task_ms,
        ended.seconds,
        reason=ended.reason,
        key=ended.key,
    )
    if not ended.files:
        return outcome
    stem = output_stem(ended.key)
    homes = {uri: output / f"{file.name}{key_of(uri).removeprefix(stem)}" for uri in ended.files}
    fetches = {home: partial(cloud.fetch, uri) for uri, home in homes.items()}
    record = homes[ended.files[-1]]
    try:
        publish(fetches, record=record)
    except OSError as error:
        return replace(outcome, status="UNWRITABLE", reason=reason_of(error))
    except CloudStopped:
        return _stopped(file)
    except CloudRefused as error:
        return replace(outcome, status="UNWRITABLE", reason=str(error))
    return replace(outcome, shown=homes[ended.shown], record=record)
