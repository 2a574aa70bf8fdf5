"""A process of each size is measured as Lambda would run it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from pipeline import hardware
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES as NAMES
from pipeline.errors import InvalidOptions, ModelNotOffered
from pipeline.local.worker import Function
from pipeline.session.tuning import Call, Task, measure, product_of, require_measurable
from tests.conftest import ROOT
from tests.pipeline.session.tuned import SPENT_S

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
FUNCTION = Function("tuned", "tests.pipeline.session.tuned.take", memory_mb=1, timeout_s=20)
BLUEPRINT = Blueprint.read(ROOT)
ONE_CPU = 1769


@dataclass(frozen=True)
class Counted(Task):
    """A task that counts how often earlier results are deleted."""

    prepared: list[bytes] = field(default_factory=list)

    def prepare(self, call: Call) -> None:
        self.prepared.append(call.payload)


def task(*events: dict[str, Any]) -> Counted:
    calls = tuple(Call(json.dumps(event).encode(), frozenset()) for event in events)
    return Counted(cast("Any", None), FUNCTION, calls)


def test_work_takes_longer_with_less_than_a_cpu_and_is_calculated() -> None:
    whole = measure(ROOT, task({"do": "work"}), ONE_CPU, repeats=2)
    half = measure(ROOT, task({"do": "work"}), ONE_CPU // 2, repeats=2)

    assert whole.cpu_s == pytest.approx(SPENT_S, abs=0.1)
    assert (whole.calculated, half.calculated) == (False, True)
    assert half.seconds is not None
    assert half.seconds > 2 * SPENT_S * 0.9


def test_waiting_takes_no_longer_with_less_than_a_cpu() -> None:
    size = measure(ROOT, task({"do": "wait"}), ONE_CPU // 4, repeats=1)

    assert size.seconds is not None
    assert SPENT_S <= size.seconds < 4 * SPENT_S


def test_a_process_that_exceeds_its_memory_is_killed() -> None:
    size = measure(ROOT, task({"do": "hold", "mb": 400}), 256, repeats=1)

    assert (size.error, size.seconds) == ("OutOfMemory", None)
    assert size.peak_mb is not None
    assert size.peak_mb > 256


def test_the_peak_is_what_the_process_held() -> None:
    size = measure(ROOT, task({"do": "hold", "mb": 200}), 512, repeats=1)

    assert size.error == ""
    assert size.peak_mb is not None
    assert 200 < size.peak_mb < 400


def test_an_error_of_the_task_is_a_result() -> None:
    size = measure(ROOT, task({"do": "fail"}), ONE_CPU, repeats=1)

    assert size.error == "NoSubject"


def test_earlier_results_are_deleted_before_each_call_of_each_input() -> None:
    both = task({"do": "hold", "mb": 1}, {"do": "hold", "mb": 2})

    measure(ROOT, both, ONE_CPU, repeats=2)

    assert both.prepared == [both.calls[0].payload] * 3 + [both.calls[1].payload] * 3


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=NAMES.bucket("work"))
        yield client


def test_only_what_came_since_is_deleted(client: Any) -> None:
    cloud = SimpleNamespace(client=lambda _: client)
    for key in ("smoke/plan.json", "smoke/windows/0.json"):
        client.put_object(Bucket=NAMES.bucket("work"), Key=key)
    call = Call(b"{}", frozenset({"smoke/plan.json"}))

    Task(cast("Any", cloud), FUNCTION, (call,)).prepare(call)

    left = client.list_objects_v2(Bucket=NAMES.bucket("work"))["Contents"]
    assert [each["Key"] for each in left] == ["smoke/plan.json"]


@pytest.mark.parametrize(
    ("model", "product", "option"),
    [
        ("u2netp", "cutout", "model"),
        ("whisper-base", "transcript", "model"),
        ("wav2vec2-base-960h", "transcript", "align"),
        ("pyannote-2022-ge2e", "transcript", "speaker_model"),
        ("silero-vad", "transcript", None),
        ("face-api-tiny", "faces", "model"),
        ("sface", "faces", "embedder"),
    ],
)
def test_each_model_has_a_product_that_uses_it(
    model: str, product: str, option: str | None
) -> None:
    used, role = product_of(BLUEPRINT, BLUEPRINT.catalogue.row(model))

    assert (used.name, role.option) == (product, option)


def test_a_model_that_needs_points_takes_no_file() -> None:
    with pytest.raises(InvalidOptions, match="needs points or boxes"):
        product_of(BLUEPRINT, BLUEPRINT.catalogue.row("sam-vit-b"))


def test_a_hosted_model_is_not_measured_here() -> None:
    with pytest.raises(ModelNotOffered):
        require_measurable(BLUEPRINT.catalogue.row("stability-remove-background"))


def test_threads_are_no_more_than_there_are_cores() -> None:
    size = measure(ROOT, task({"do": "hold", "mb": 1}), 10240, repeats=1)

    assert size.calculated is (hardware.cores() != 6)
