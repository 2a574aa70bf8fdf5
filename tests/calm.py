"""When a local cloud has nothing left to do."""

from __future__ import annotations

import time

from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import NAMES

_POLL_S = 0.3


def wait_for_calm(cloud: LocalCloud, *, patience_s: float) -> None:
    """Until no event is on its way and nothing runs: seen twice, as events take a moment."""
    deadline = time.monotonic() + patience_s
    calm = 0
    while calm < 2:
        assert time.monotonic() < deadline, "the executions do not end"
        time.sleep(_POLL_S)
        calm = 0 if _busy(cloud) else calm + 1


def _busy(cloud: LocalCloud) -> bool:
    states, sqs = cloud.client("stepfunctions"), cloud.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for url in sqs.list_queues().get("QueueUrls", []):
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        if any(int(count) for count in counts.values()):
            return True
    return any(
        states.list_executions(
            stateMachineArn=NAMES.machine_arn(machine), statusFilter="RUNNING", maxResults=1
        )["executions"]
        for machine in cloud.blueprint.definitions
    )
