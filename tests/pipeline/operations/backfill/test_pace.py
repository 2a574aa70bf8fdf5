"""A backfill takes at most half of what the account allows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import boto3
import pytest
from botocore.stub import Stubber

from pipeline import hardware
from pipeline.declared.names import LOCAL_NAMES, stage_names
from pipeline.operations.backfill.pace import SMALLER, calls_at_once, default_cap, find_account
from pipeline.operations.backfill.simulation import Account, Call, Rate, Uploads, Work, simulate
from pipeline.operations.site import Site, local_site
from tests.conftest import ROOT

CALL: Final = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
UNLIMITED: Final = Rate(1e9, 1e9)
PUT: Final = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": True}


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def each(call: dict[str, Any], **most: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": machine(Call=call), **most}


@pytest.mark.parametrize(
    ("definition", "calls"),
    [
        (machine(Call=CALL, Again=CALL), 1),
        (machine(Put=PUT), 1),
        (machine(Each=each(CALL, MaxConcurrency=3)), 3),
        (machine(Each=each(CALL, MaxConcurrencyPath="$.most")), 7),
        (machine(Each=each(PUT, MaxConcurrency=3), Call=CALL), 1),
        (machine(Both={"Type": "Parallel", "Branches": [machine(C=CALL), machine(P=PUT)]}), 1),
        (
            machine(
                Both={
                    "Type": "Parallel",
                    "Branches": [machine(C=CALL), machine(E=each(CALL, MaxConcurrency=4))],
                }
            ),
            5,
        ),
    ],
    ids=["one-by-one", "no-function", "map", "map-by-path", "map-of-others", "parallel", "both"],
)
def test_the_calls_of_one_execution_at_a_time_are_counted(
    definition: dict[str, Any], calls: int
) -> None:
    assert calls_at_once(definition, 7) == calls


def test_a_photo_takes_one_function_at_a_time() -> None:
    definition = json.loads((ROOT / "state_machines" / "cutout.asl.json").read_text())

    assert calls_at_once(definition, 1) == 1


PHOTO: Final = Work((Call(2, 2_048),), transitions=25, executions=2)
SLOW: Final = Work((Call(20, 8_192),), transitions=25, executions=2)


@pytest.mark.parametrize(
    ("account", "work", "at_once", "cap"),
    [
        (Account(), SLOW, 1, 500),
        (Account(), SLOW, 11, 45),
        (Account(), PHOTO, 1, 150),
        (SMALLER, PHOTO, 1, 32),
        (Account(concurrency=10), PHOTO, 1, 5),
        (Account(concurrency=10), SLOW, 11, 1),
        (Account(concurrency=1), PHOTO, 1, 1),
        (Account(10**6, UNLIMITED, UNLIMITED), SLOW, 1, 10_000),
    ],
    ids=["half", "wide", "starts", "transitions", "new", "new-and-wide", "one", "map"],
)
def test_half_of_each_limit_is_left_to_uploads(
    account: Account, work: Work, at_once: int, cap: int
) -> None:
    assert default_cap(account, work, at_once) == cap


@pytest.mark.parametrize(
    "account", [Account(), SMALLER, Account(concurrency=10)], ids=["large", "smaller", "new"]
)
@pytest.mark.parametrize("work", [PHOTO, SLOW], ids=["photo", "slow"])
def test_uploads_do_not_wait_behind_the_default_cap(account: Account, work: Work) -> None:
    """Those uploads take at most a tenth of the functions themselves."""
    cap = default_cap(account, work, 1)
    a_second = min(0.5, account.concurrency / 10 / sum(call.seconds for call in work.calls))

    done = simulate([(50 * cap, work)], cap=cap, account=account, uploads=Uploads(a_second, work))

    waits = sorted(done.waits_s)
    assert len(waits) > 20
    assert waits[int(0.95 * len(waits))] < 0.1


@pytest.mark.parametrize(
    ("region", "usual"), [("us-east-1", Account()), ("eu-north-1", SMALLER)], ids=["large", "small"]
)
def test_a_stages_limits_are_those_of_its_region_and_of_its_lambda(
    region: str, usual: Account
) -> None:
    session = boto3.Session("key", "secret", region_name=region)
    site = Site(stage_names("dev", account="123456789012", region=region), session, ())
    told = {"AccountLimit": {"ConcurrentExecutions": 10}}

    with Stubber(site.client("lambda")) as stub:
        stub.add_response("get_account_settings", told)
        account = find_account(site)

    assert account == replace(usual, concurrency=10)


def test_the_local_cloud_has_no_limit_but_its_cores() -> None:
    account = find_account(local_site(LOCAL_NAMES, "http://localhost", ()))

    assert default_cap(account, PHOTO, 1) == hardware.cores()
