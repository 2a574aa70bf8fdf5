"""Each image answers good and bad events, under the local Lambda host and AWS's emulator."""

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
import urllib3
from PIL import Image

from pipeline.declared.containers import ContainerManifest
from pipeline.local.deployment import NAMES
from pipeline.local.image_launcher import ImageLauncher
from pipeline.local.lambda_host import LambdaHost
from tests.execution.driver import Driver
from tests.images.conftest import CONTAINERS, ImageCloud, Recorded
from tests.images.emulation import emulated
from tests.small_models import PEOPLE, TEXT

pytestmark = pytest.mark.images
PATIENCE_S: Final = 10
# Fields that differ between calls: times, measurements and the host's memory.
PASSING: Final = {"metrics", "inspected_at", "claims_before", "held_until", "budget_mb"}

Payload = dict[str, Any]


class Slip(NamedTuple):
    """A fault in a good payload, and the error it must cause."""

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
    "audio-reader": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "denoiser": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "transcriber": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "diarizer": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "audio-tagger": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "face-analyzer": Slip(
        lambda good: good | {"source": good["source"] | {"sha256": "0" * 64}}, "SourceChanged"
    ),
    "face-embedder": Slip(lambda good: good | {"model": "nobody"}, "UnknownModel"),
    "vector-index": Slip(
        lambda good: good | {"input": good["input"] | {"action": "burn"}}, "InvalidOptions"
    ),
    "transcript-writer": Slip(
        lambda good: good | {"source": good["source"] | {"etag": "0" * 32, "sha256": "0" * 64}},
        "SourceChanged",
    ),
}


@pytest.fixture(params=[each for each in CONTAINERS if each.job], ids=lambda each: each.name)
def container(request: pytest.FixtureRequest) -> ContainerManifest:
    """Return a container with a job: a machine sends it payloads."""
    chosen: ContainerManifest = request.param
    return chosen


def test_a_photo_passes_through_its_images(recorded: Recorded, driver: Driver) -> None:
    (cutout,) = [key for key in driver.keys("output") if key.endswith("_bg_removed.png")]

    with Image.open(io.BytesIO(driver.read(f"s3://{NAMES.bucket('output')}/{cutout}"))) as image:
        alpha = np.asarray(image)[..., 3]

    assert set(recorded.verdicts) == {"DONE"}
    assert set(recorded.payloads) == set(BAD)
    assert alpha[48, 48] == 255
    assert not alpha[:8].any()


def test_a_recording_passes_through_its_images(recorded: Recorded, driver: Driver) -> None:
    assert set(recorded.verdicts) == {"DONE"}
    text = driver.read(f"s3://{NAMES.bucket('output')}/talk_transcript.txt")

    assert text.decode().strip() == TEXT
    files = {"talk_denoised.flac", "talk_speakers.rttm", "talk_tags.json"}
    assert files <= set(driver.keys("output"))


def test_faces_pass_through_their_images(recorded: Recorded, driver: Driver) -> None:
    assert set(recorded.verdicts) == {"DONE"}
    document = json.loads(driver.read(f"s3://{NAMES.bucket('output')}/group_faces.json"))

    assert len(document["faces"]) == len(PEOPLE)
    files = {"group_faces_preview.jpg", "group_faces_redacted.png"}
    files |= {"group_faces.embeddings.json", "group_faces.embeddings.safetensors"}
    assert files <= set(driver.keys("output"))


@pytest.mark.parametrize(
    ("record", "makers"),
    [
        ("square_bg_removed.json", {"background-remover", "edge-refiner"}),
        ("group_faces.record.json", {"face-analyzer", "face-embedder"}),
        (
            "talk_transcript.record.json",
            {
                "audio-reader",
                "denoiser",
                "transcriber",
                "diarizer",
                "audio-tagger",
                "transcript-writer",
            },
        ),
    ],
)
def test_the_output_record_names_the_images_that_made_it(
    recorded: Recorded, driver: Driver, launcher: ImageLauncher, record: str, makers: set[str]
) -> None:
    assert set(recorded.verdicts) == {"DONE"}

    content = driver.read(f"s3://{NAMES.bucket('output')}/{record}").decode()

    images = {each.image.name: each.image.digest for each in launcher.sandboxes.values()}
    named = {name.split("/")[-1].split(":")[0] for name in images if images[name] in content}
    assert named == makers | {"media-inspector"}


def test_a_good_event_returns_a_result(
    recorded: Recorded, cloud: ImageCloud, container: ContainerManifest
) -> None:
    answer = cloud.invoke(container, recorded.payloads[container.name])

    assert "errorType" not in answer
    assert answer["provenance"]["version"] == container.version


def test_the_api_answers(cloud: ImageCloud) -> None:
    answer = urllib3.request("GET", f"{cloud.cloud.api}/models")

    assert answer.status == 200
    assert answer.headers["matteline-version"].startswith("http-api/")


def test_a_bad_event_returns_a_named_error_with_a_hint(
    recorded: Recorded, cloud: ImageCloud, container: ContainerManifest
) -> None:
    spoil, error = BAD[container.name]

    answer = cloud.invoke(container, spoil(recorded.payloads[container.name]))

    assert answer["errorType"] == error
    assert len(answer["errorMessage"].splitlines()) == 2


def test_awss_emulator_returns_the_same_results(
    recorded: Recorded,
    cloud: ImageCloud,
    launcher: ImageLauncher,
    emulator: Path,
    container: ContainerManifest,
) -> None:
    good, (spoil, error) = recorded.payloads[container.name], BAD[container.name]
    expected = lasting(cloud.invoke(container, good))

    with emulated(cloud.function(container), launcher, emulator) as ask:
        answered, refused = ask(good), ask(spoil(good))

    assert lasting(answered) == expected
    assert refused["errorType"] == error


def test_a_call_that_times_out_leaves_no_process(
    recorded: Recorded, cloud: ImageCloud, launcher: ImageLauncher, tmp_path: Path
) -> None:
    (container,) = [each for each in CONTAINERS if each.name == "edge-refiner"]
    brief = replace(cloud.function(container), name="brief", timeout_s=0.001)
    host = LambdaHost([brief], launcher=launcher, logs=tmp_path, concurrency=1)
    payload = json.dumps(recorded.payloads[container.name]).encode()

    answer = host.invoke("brief", payload, function_arn="")

    assert json.loads(answer.payload)["errorType"] == "Sandbox.Timedout"
    assert becomes_empty(lambda: processes_with("AWS_LAMBDA_FUNCTION_NAME=brief"))


def lasting(answer: Any) -> Any:
    """Return an answer without the fields that differ between calls."""
    if isinstance(answer, dict):
        return {name: lasting(value) for name, value in answer.items() if name not in PASSING}
    return [lasting(value) for value in answer] if isinstance(answer, list) else answer


def processes_with(variable: str) -> list[Path]:
    """Return every process with this variable in its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(process)
    return found


def becomes_empty(look: Callable[[], list[Path]]) -> bool:
    """Return True once nothing is left; the kernel may take a moment to remove killed processes."""
    deadline = time.monotonic() + PATIENCE_S
    while look() and time.monotonic() < deadline:
        time.sleep(0.05)
    return look() == []
