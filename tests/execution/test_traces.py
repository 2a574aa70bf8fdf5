"""One trace id from an upload to its record: lines, rows, messages and events share it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.operations.site import local_site
from pipeline.operations.webhooks import add_webhook, remove_webhook
from pipeline.session.watching import describe
from tests.calm import wait_for_calm
from tests.conftest import ROOT
from tests.execution.api import User
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.faults import Faults
from tests.hasty import hasty
from tests.models import Shelf
from tests.pictures import png, square
from tests.receivers import accept, receiver

KEY = "traced/cat.mp3"  # a photo: the transcript machine hands it over to the cutout machine
FUNCTIONS = (
    "media-inspector", "model-downloader", "edge-refiner", "webhook-planner", "webhook-sender",
)  # fmt: skip


@pytest.fixture(scope="module")
def driver(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A cloud with AWS Batch, where no model is staged yet."""
    blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
    machines = hasty(blueprint.with_batch("cpu"), tmp_path_factory.mktemp("machines"))
    faults = Faults()
    with local_cloud(machines, weights_mirror=shelf.mirror, wrap=faults.wrap) as cloud:
        yield Driver(cloud, faults)


def listen(driver: Driver) -> str:
    """Have a queue that gets what is announced; return its address."""
    sqs, events = driver.cloud.client("sqs"), driver.cloud.client("events")
    url: str = sqs.create_queue(QueueName="announced")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="traces", EventPattern='{"detail-type": ["Cutout Ready"]}')
    events.put_targets(Rule="traces", Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    return url


def announced(driver: Driver, url: str) -> dict[str, Any]:
    """Return what the one event says. It is taken from the queue: the cloud comes to rest."""
    deadline, sqs = time.monotonic() + PATIENCE_S, driver.cloud.client("sqs")
    while True:
        if told := sqs.receive_message(QueueUrl=url).get("Messages"):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=told[0]["ReceiptHandle"])
            detail: dict[str, Any] = json.loads(told[0]["Body"])["detail"]
            return detail
        assert time.monotonic() < deadline, "nothing was announced"
        time.sleep(0.05)


def lines_of(driver: Driver, group: str, trace: str | None = None) -> list[dict[str, Any]]:
    """What is in a log group: all of it, or what is found by a trace id."""
    pattern = {"filterPattern": f'{{ $.trace_id = "{trace}" }}'} if trace else {}
    found = driver.cloud.client("logs").filter_log_events(logGroupName=group, **pattern)
    return [json.loads(each["message"]) for each in found["events"]]


def groups() -> list[str]:
    jobs = NAMES.job_log_group("background-remover")
    return [*(NAMES.log_group(NAMES.function(name)) for name in FUNCTIONS), jobs]


def test_one_upload_has_one_trace_id_wherever_it_went(driver: Driver) -> None:
    queue = listen(driver)
    site = local_site(LOCAL_NAMES, driver.cloud.endpoint, driver.cloud.blueprint.products)
    operator = User(driver.cloud.api, "olga", OPERATOR_SCOPE)
    states = driver.cloud.client("stepfunctions")
    with receiver(accept) as found:
        added = add_webhook(site, found.url)
        driver.put(png(square()), KEY, compute="batch")
        found.wait_for(1)
        event = announced(driver, queue)
        wait_for_calm(driver.cloud, patience_s=PATIENCE_S)
        remove_webhook(site, added.webhook.webhook_id)
    (row,) = driver.records_of(KEY)
    trace = row["execution"].rpartition(":")[2]

    handing = describe(states, NAMES.execution_arn("transcript", trace))
    assert handing.handed_to == NAMES.execution_arn("cutout", trace)
    record = json.loads(driver.read(row["manifest"]))
    message = json.loads(found.received[0].body)["data"]
    told = operator.ask("GET", f"/jobs/{row['job_id']}").json()
    assert {each["trace_id"] for each in (record, message, told, event)} == {trace}

    for group in groups():
        every = lines_of(driver, group)
        assert {(group, each.get("trace_id")) for each in every} == {(group, trace)}
    (api,) = [
        line
        for line in lines_of(driver, NAMES.log_group(NAMES.function("http-api")), trace)
        if line.get("path", "").endswith(row["job_id"])
    ]
    assert api["status"] == 200

    shown = operator.ask("GET", f"/console/executions/cutout/{trace}/logs").json()
    found_by = {line["container"] for line in shown["lines"]}
    assert {"media-inspector", "model-downloader", "background-remover", "edge-refiner"} <= found_by


def test_weights_that_are_staged_by_hand_have_the_trace_of_their_own_execution(
    driver: Driver,
) -> None:
    staged = driver.stage("brightness")

    group = NAMES.log_group(NAMES.function("model-downloader"))
    (line,) = lines_of(driver, group, staged.name)

    assert line["message"] == "done"


def test_records_say_what_the_photo_took(driver: Driver) -> None:
    """GB-seconds of functions, vCPU-seconds of jobs: what AWS bills."""
    driver.drop(png(square(left=8)), "took/cat.png", compute="batch")
    (row,) = driver.records_of("took/cat.png")

    tasks = json.loads(driver.read(row["manifest"]))["tasks"]

    metrics = {name: task["metrics"] for name, task in tasks.items()}
    assert metrics["Inspect"]["gb_s"] > 0
    assert metrics["RemoveBackground"]["vcpu_s"] > 0
    assert "gb_s" not in metrics["RemoveBackground"]
