"""Choose how many objects of a backfill run at a time, so that uploads do not wait.

Lambda and Step Functions serve requests in the order in which they come. So a backfill takes no
more than half of each limit: a cap on its executions holds it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pipeline import hardware
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill.simulation import Account, Rate, Work
from pipeline.operations.site import Site

MOST_AT_ONCE: Final = 10_000  # of a distributed Map
LARGE_REGIONS: Final = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
SMALLER: Final = Account(starts=Rate(800, 150), transitions=Rate(800, 800))
_SHARE: Final = 2  # a backfill takes one part of two
_LAMBDA: Final = "arn:aws:states:::lambda:invoke"
_UNLIMITED: Final = Rate(1e9, 1e9)


def find_account(site: Site) -> Account:
    """Return the limits of the stage's account and region, of which Lambda's may have been raised.

    The local cloud has no other limit than this machine's cores.
    """
    if site.local:
        most = _SHARE * hardware.cores()
        return Account(most, starts=_UNLIMITED, transitions=_UNLIMITED, page_s=0)
    usual = Account() if site.names.region in LARGE_REGIONS else SMALLER
    limits = site.client("lambda").get_account_settings()["AccountLimit"]
    return replace(usual, concurrency=int(limits["ConcurrentExecutions"]))


def with_jobs(account: Account, site: Site, least_vcpus: float) -> Account:
    """Return the account with the vCPUs of the machines that run the stage's jobs of AWS Batch.

    They are those with GPUs, if the stage has any. Raises InvalidOptions if it has no machines, or
    none with `least_vcpus`, which a job takes. Jobs of the local cloud wait for no machine.
    """
    batch = site.client("batch")
    names = [site.names.job_queue(machines, "backfill") for machines in ("gpu", "cpu")]
    queues = batch.describe_job_queues(jobQueues=names)["jobQueues"]
    if not queues:
        raise InvalidOptions("these jobs need AWS Batch, which this stage does not have")
    queue = min(queues, key=lambda each: names.index(each["jobQueueName"]))
    used = [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]]
    found = batch.describe_compute_environments(computeEnvironments=used)["computeEnvironments"]
    vcpus = sum(_most_vcpus(each) for each in found)
    if vcpus < least_vcpus:
        raise InvalidOptions(f"a job takes {least_vcpus:g} vCPUs, and its machines have {vcpus:g}")
    return replace(account, batch_vcpus=vcpus, machine_s=0 if site.local else account.machine_s)


def _most_vcpus(environment: Mapping[str, Any]) -> int:
    most = environment.get("computeResources", {}).get("maxvCpus")
    return int(environment.get("unmanagedvCpus", 0) if most is None else most)


def default_cap(account: Account, work: Work, at_once: int) -> int:
    """Return how many objects may run at a time with half of the account's limits.

    Each calls up to `at_once` functions at a time. How many start each second follows from the
    seconds that one takes.
    """
    a_second = min(
        account.starts.per_second / work.executions,
        account.transitions.per_second / work.transitions,
    )
    running = a_second * sum(call.seconds for call in work.calls)
    most = min(account.concurrency / at_once, running) / _SHARE
    return max(1, min(MOST_AT_ONCE, int(most)))


def calls_at_once(definition: Mapping[str, Any], option: int) -> int:
    """Return how many functions an execution calls at a time at most: at least one.

    `definition` is a state machine, or the ItemProcessor of a Map. `option` is the value of a Map's
    MaxConcurrencyPath. What nested executions call is not counted.
    """
    return max(1, _most(definition, option))


def _at_once(state: Mapping[str, Any], option: int) -> int:
    if state["Type"] == "Parallel":
        return sum(_most(branch, option) for branch in state["Branches"])
    if state["Type"] == "Map":
        items = option if "MaxConcurrencyPath" in state else state.get("MaxConcurrency", 1)
        return int(items) * _most(state["ItemProcessor"], option)
    return int(state.get("Resource") == _LAMBDA)


def _most(part: Mapping[str, Any], option: int) -> int:
    return max(_at_once(state, option) for state in part["States"].values())
