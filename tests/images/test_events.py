"""What an image answers to a good and to a bad event: to our Lambda host, and to AWS's emulator."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pytest
from PIL import Image

from pipeline.declared.containers import ContainerManifest
from pipeline.local.deployment import NAMES
from pipeline.local.image_launcher import ImageLauncher
from pipeline.local.lambda_host import LambdaHost
from tests.execution.driver import Driver
from tests.images.conftest import CONTAINERS, ImageCloud, Told
from tests.images.emulation import emulated

pytestmark = pytest.mark.images
PATIENCE_S: Final = 10
# Times, figures, and the memory a host says it has.
PASSING: Final = {"metrics", "inspected_at", "claims_before", "held_until", "budget_mb"}

Payload = dict[str, Any]


class Slip(NamedTuple):
    """One thing wrong with a good payload, and the error that says so."""

    spoil: Callable[[Payload], Payload]
    error: str


BAD: Final = {
    "media-inspector": Slip(
        lambda good: good | {"input": {"bucket": NAMES.bucket("ingest"), "key": "gone.jpg"}},
        "SourceMissing",
    ),
    "model-downloader": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "background-remover": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "edge-refiner": Slip(
        lambda good: good | {"source": good["source"] | {"sha256": "0" * 64}}, "SourceChanged"
    ),
}


def test_a_photo_goes_through_all_images(told: Told, driver: Driver) -> None:
    (cutout,) = [key for key in driver.keys("output") if key.endswith(".png")]

    with Image.open(io.BytesIO(driver.read(f"s3://{NAMES.bucket('output')}/{cutout}"))) as image:
        alpha = np.asarray(image)[..., 3]

    assert told.status == "SUCCEEDED"
    assert set(told.payloads) == set(BAD)
    assert alpha[48, 48] == 255
    assert not alpha[:8].any()


def test_the_manifest_names_the_images_that_made_it(
    told: Told, driver: Driver, launcher: ImageLauncher
) -> None:
    assert told.status == "SUCCEEDED"
    (written,) = [key for key in driver.keys("output") if key.endswith(".json")]

    manifest = driver.read(f"s3://{NAMES.bucket('output')}/{written}").decode()

    images = {each.image.name: each.image.digest for each in launcher.sandboxes.values()}
    named = {name.split("/")[-1].split(":")[0] for name in images if images[name] in manifest}
    assert named == {"background-remover", "edge-refiner", "media-inspector"}


def test_a_good_event_is_answered(
    told: Told, cloud: ImageCloud, container: ContainerManifest
) -> None:
    answer = cloud.invoke(container, told.payloads[container.name])

    assert "errorType" not in answer
    assert answer["provenance"]["version"] == container.version


def test_a_bad_event_is_refused_by_name_with_a_hint(
    told: Told, cloud: ImageCloud, container: ContainerManifest
) -> None:
    spoil, error = BAD[container.name]

    answer = cloud.invoke(container, spoil(told.payloads[container.name]))

    assert answer["errorType"] == error
    assert len(answer["errorMessage"].splitlines()) == 2


def test_awss_own_emulator_gets_the_same_answers(
    told: Told,
    cloud: ImageCloud,
    launcher: ImageLauncher,
    emulator: Path,
    container: ContainerManifest,
) -> None:
    good, (spoil, error) = told.payloads[container.name], BAD[container.name]
    expected = lasting(cloud.invoke(container, good))

    with emulated(cloud.function(container), launcher, emulator) as ask:
        answered, refused = ask(good), ask(spoil(good))

    assert lasting(answered) == expected
    assert refused["errorType"] == error


def test_a_call_that_takes_too_long_leaves_no_process(
    told: Told, cloud: ImageCloud, launcher: ImageLauncher, tmp_path: Path
) -> None:
    (container,) = [each for each in CONTAINERS if each.name == "edge-refiner"]
    brief = replace(cloud.function(container), name="brief", timeout_s=0.001)
    host = LambdaHost([brief], launcher=launcher, logs=tmp_path, concurrency=1)
    payload = json.dumps(told.payloads[container.name]).encode()

    answer = host.invoke("brief", payload, function_arn="")

    assert json.loads(answer.payload)["errorType"] == "Sandbox.Timedout"
    assert becomes_empty(lambda: processes_with("AWS_LAMBDA_FUNCTION_NAME=brief"))


def lasting(answer: Any) -> Any:
    """An answer without what differs from call to call: figures and times."""
    if isinstance(answer, dict):
        return {name: lasting(value) for name, value in answer.items() if name not in PASSING}
    return [lasting(value) for value in answer] if isinstance(answer, list) else answer


def processes_with(variable: str) -> list[Path]:
    """Every process of this machine that has this in its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(process)
    return found


def becomes_empty(look: Callable[[], list[Path]]) -> bool:
    """Whether there is soon nothing left: the kernel takes its time over the killed."""
    deadline = time.monotonic() + PATIENCE_S
    while look() and time.monotonic() < deadline:
        time.sleep(0.05)
    return look() == []
