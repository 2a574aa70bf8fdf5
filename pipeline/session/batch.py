"""Send a batch of photos through the local cloud and download the results."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.artifacts import Location
from pipeline.contracts.cutout import shown_picture
from pipeline.contracts.output_keys import output_stem
from pipeline.declared.products import taker
from pipeline.operations.executions import Execution
from pipeline.session.naming import identity
from pipeline.session.publishing import publish
from pipeline.session.watching import drop, finished
from pipeline.session.whole_files import reason_of

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

PRODUCT: Final = "cutout"


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
    cloud: LocalCloud,
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
    batch = uuid.uuid4().hex[:8]
    keys = {
        f"run-{batch}/{index}/{identity(photo.path)}/{_plain(photo.path.name)}": photo
        for index, photo in enumerate(photos)
    }
    outcomes = dict(_of_other_products(cloud, keys))
    mine = {key: photo for key, photo in keys.items() if photo not in outcomes}
    outcomes |= _drop_all(cloud, mine, options)
    for outcome in outcomes.values():
        on_progress(outcome)
    waiting = [key for key, photo in keys.items() if photo not in outcomes]

    def bring_home(execution: Execution) -> Outcome:
        outcome = _bring_home(cloud, execution, keys[execution.key], output)
        on_progress(outcome)
        return outcome

    # An interrupt reaches the main thread only: it never falls between two renames of one photo.
    with ThreadPoolExecutor(max_workers=1) as home:
        ended = [home.submit(bring_home, execution) for execution in finished(cloud, waiting)]
    outcomes |= {outcome.photo: outcome for outcome in (future.result() for future in ended)}
    return [outcomes[photo] for photo in photos]


def _of_other_products(
    cloud: LocalCloud, keys: Mapping[str, Photo]
) -> Iterator[tuple[Photo, Outcome]]:
    """Yield an outcome for every file whose name starts another product's state machine."""
    for key, photo in keys.items():
        product = taker(key, cloud.blueprint.products)
        if product is not None and product.name != PRODUCT:
            reason = (
                f"files of this name go to {product.name}: upload it to a running `matteline up`"
            )
            yield photo, Outcome(photo, "SKIPPED", "", {}, None, reason)


def _plain(name: str) -> str:
    """Replace the characters of a file name that object keys cannot hold, such as line breaks."""
    return re.sub(r"[^\w .,()+\[\]-]", "_", name)


def _drop_all(
    cloud: LocalCloud, keys: Mapping[str, Photo], options: Mapping[str, str]
) -> dict[Photo, Outcome]:
    """Upload every photo to the ingest bucket. Return the outcomes of photos that failed."""
    metadata = {f"matteline-{name}": value for name, value in options.items()}

    def try_to_drop(key: str) -> Outcome | None:
        try:
            drop(cloud, keys[key].path, key, metadata)
        except OSError as error:
            return Outcome(keys[key], "UNREADABLE", "", {}, None, reason_of(error))
        except (Boto3Error, BotoCoreError, ClientError) as error:
            full = f"no space left in {cloud.scratch}" if cloud.disk_full.is_set() else ""
            return Outcome(keys[key], "FAILED", "", {}, None, full or str(error))
        return None

    with ThreadPoolExecutor(max_workers=4) as threads:
        unreadable = [outcome for outcome in threads.map(try_to_drop, keys) if outcome]
    return {outcome.photo: outcome for outcome in unreadable}


def _bring_home(cloud: LocalCloud, execution: Execution, photo: Photo, output: Path) -> Outcome:
    if execution.status != "SUCCEEDED":
        return Outcome(photo, execution.verdict, "", execution.task_ms, None, execution.reason)
    result = execution.output
    uris = [*(picture["uri"] for picture in result["pictures"]), result["manifest"]]
    stem = output_stem(execution.key)
    homes = [output / f"{photo.name}{Location.parse(uri).key.removeprefix(stem)}" for uri in uris]
    fetches = {home: partial(_fetch, cloud, uri) for uri, home in zip(uris, homes, strict=True)}
    try:
        publish(fetches, record=homes[-1])
    except OSError as error:
        return Outcome(photo, "UNWRITABLE", "", execution.task_ms, None, reason_of(error))
    except (BotoCoreError, ClientError) as error:
        return Outcome(photo, "UNWRITABLE", "", execution.task_ms, None, str(error))
    shown = homes[uris.index(shown_picture(result["pictures"])["uri"])]
    return Outcome(photo, "DONE", result["model"], execution.task_ms, shown, "")


def _fetch(cloud: LocalCloud, uri: str, target: Path) -> None:
    place = Location.parse(uri)
    body = cloud.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"]
    with target.open("wb") as out:
        shutil.copyfileobj(body, out)
