"""Send a batch of photos through the local cloud and download the results."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.contracts.output_keys import output_stem
from pipeline.session.naming import identity
from pipeline.session.own_files import key_of
from pipeline.session.publishing import publish
from pipeline.session.run_messages import PhotoEnded
from pipeline.session.running_cloud import CloudRefused, CloudStopped, RunningCloud
from pipeline.session.whole_files import reason_of

_PATIENCE_S: Final = 5.0  # after an interrupt
_MOST_UPLOADS: Final = 4  # at a time
_MOST_UNDER_WAY: Final = 16  # twice what the largest local cloud runs at a time


@dataclass(frozen=True)
class Photo:
    """One photo of a batch; `name` is its outputs' path in the output folder, without suffix."""

    path: Path
    name: str


@dataclass(frozen=True)
class Outcome:
    """The result of one photo; `picture` is the output to show, None unless `status` is DONE."""

    photo: Photo
    status: str
    model: str
    task_ms: Mapping[str, float]
    picture: Path | None
    reason: str

    @property
    def done(self) -> bool:
        return self.status == "DONE"


def cut_out(
    cloud: RunningCloud,
    photos: Sequence[Photo],
    *,
    options: Mapping[str, str],
    output: Path,
    on_progress: Callable[[Outcome], None],
) -> list[Outcome]:
    """Run the state machine for every photo and download its outputs.

    `on_progress` gets each outcome as soon as its files are written, in another thread. The
    returned list has the photos' order.
    """
    with uploading(cloud, photos, options=options) as batch:
        batch.bring_home(output, on_progress)
    return [batch.outcomes[photo] for photo in photos]


@contextmanager
def uploading(
    cloud: RunningCloud, photos: Sequence[Photo], *, options: Mapping[str, str]
) -> Iterator[Batch]:
    """Upload the photos, in threads, until the block ends."""
    batch = Batch(cloud, photos, options)
    with ThreadPoolExecutor(max_workers=_MOST_UPLOADS) as threads:
        try:
            batch.upload(threads)
            yield batch
        finally:
            batch.leave()


class Batch:
    """Photos on their way to a cloud and back. `outcomes` has those that are back.

    Few are uploaded before others have ended: an interrupt leaves little to be stopped, and the
    cloud's disk need not hold them all.
    """

    def __init__(
        self, cloud: RunningCloud, photos: Sequence[Photo], options: Mapping[str, str]
    ) -> None:
        prefix = cloud.greeting.prefix
        self._keys = {
            f"{prefix}{index}/{identity(photo.path)}/{_plain(photo.path.name)}": photo
            for index, photo in enumerate(photos)
        }
        self.outcomes: dict[Photo, Outcome] = {}
        self._cloud = cloud
        self._metadata = {f"matteline-{name}": value for name, value in options.items()}
        self._under_way = threading.Semaphore(_MOST_UNDER_WAY)
        self._told: queue.SimpleQueue[Outcome | PhotoEnded | BaseException | None] = (
            queue.SimpleQueue()
        )
        self._leaving = threading.Event()

    def upload(self, threads: ThreadPoolExecutor) -> None:
        """Begin to upload the photos, and to listen for their executions' ends."""
        for key in self._keys:
            threads.submit(self._upload, key).add_done_callback(self._tell_error)
        threading.Thread(target=self._listen, daemon=True).start()

    def leave(self) -> None:
        """Upload no more photos, and cut off those that are on their way."""
        self._leaving.set()
        self._cloud.leave()
        self._under_way.release(len(self._keys) or 1)

    def bring_home(self, output: Path, on_progress: Callable[[Outcome], None]) -> None:
        """Write every photo's files to the output folder as they are ready."""

        def settle(told: Outcome | PhotoEnded) -> None:
            if isinstance(told, PhotoEnded):
                told = _bring_home(self._cloud, told, self._keys[told.key], output)
            self.outcomes[told.photo] = told
            on_progress(told)

        # An interrupt reaches the main thread only: it never falls between two renames of one photo
        with ThreadPoolExecutor(max_workers=1) as home:
            try:
                settled = [home.submit(settle, told) for told in self._until_settled()]
            except KeyboardInterrupt:
                # The photos whose results are being fetched are finished, if the cloud answers.
                cut_off = threading.Timer(_PATIENCE_S, self._cloud.leave)
                cut_off.daemon = True
                cut_off.start()
                raise
        for future in settled:
            future.result()

    def _until_settled(self) -> Iterator[Outcome | PhotoEnded]:
        """Yield what becomes of each photo, in any order."""
        waiting = dict(self._keys)
        while waiting and (told := self._told.get()):
            if isinstance(told, BaseException):
                raise told
            key = told.key if isinstance(told, PhotoEnded) else self._key_of(told.photo)
            if waiting.pop(key, None):
                self._under_way.release()
                yield told
        yield from map(_stopped, waiting.values())

    def _key_of(self, photo: Photo) -> str:
        return next(key for key, each in self._keys.items() if each is photo)

    def _listen(self) -> None:
        for ended in self._cloud.ended():
            self._told.put(ended)
        self._told.put(None)

    def _tell_error(self, done: Future[None]) -> None:
        if not done.cancelled() and (error := done.exception()):
            self._told.put(error)

    def _upload(self, key: str) -> None:
        """Upload one photo; tell if its state machine does not start."""
        self._under_way.acquire()
        if self._leaving.is_set():
            return
        photo = self._keys[key]
        if other := self._cloud.other_product(key):
            why = f"files of this name go to {other}: upload it to a running `matteline up`"
            self._told.put(Outcome(photo, "SKIPPED", "", {}, None, why))
            return
        try:
            self._cloud.upload(photo.path, key, self._metadata)
        except OSError as error:
            self._told.put(Outcome(photo, "UNREADABLE", "", {}, None, reason_of(error)))
        except CloudStopped:
            self._told.put(_stopped(photo))
        except CloudRefused as error:
            full = self._cloud.disk_is_full()
            why = f"no space left in {self._cloud.greeting.scratch}" if full else str(error)
            self._told.put(Outcome(photo, "FAILED", "", {}, None, why))


def _stopped(photo: Photo) -> Outcome:
    why = f"{CloudStopped.__name__}: the local cloud stopped first. Run the command again."
    return Outcome(photo, "FAILED", "", {}, None, why)


def _plain(name: str) -> str:
    """Replace the characters of a file name that object keys cannot hold, such as line breaks."""
    return re.sub(r"[^\w .,()+\[\]-]", "_", name)


def _bring_home(cloud: RunningCloud, ended: PhotoEnded, photo: Photo, output: Path) -> Outcome:
    times = ended.task_ms
    if not ended.files:
        return Outcome(photo, ended.verdict, "", times, None, ended.reason)
    stem = output_stem(ended.key)
    homes = {uri: output / f"{photo.name}{key_of(uri).removeprefix(stem)}" for uri in ended.files}
    fetches = {home: partial(cloud.fetch, uri) for uri, home in homes.items()}
    try:
        publish(fetches, record=homes[ended.files[-1]])
    except OSError as error:
        return Outcome(photo, "UNWRITABLE", "", times, None, reason_of(error))
    except CloudStopped:
        return _stopped(photo)
    except CloudRefused as error:
        return Outcome(photo, "UNWRITABLE", "", times, None, str(error))
    return Outcome(photo, "DONE", ended.model, times, homes[ended.shown], "")
