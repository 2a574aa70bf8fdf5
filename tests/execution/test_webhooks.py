"""Ends of jobs arrive at receivers that fail, are slow, are killed off or recover; none is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from pipeline.local.deployment import NAMES
from pipeline.operations.dead_letters import DeadLetter, dead_letters, resend
from pipeline.operations.site import Site
from pipeline.operations.webhooks import Registered, add_webhook, remove_webhook, rotate_secret
from pipeline.session.watching import describe
from tests.execution.api import User, prefix_of, send, wait_for
from tests.execution.driver import PATIENCE_S, Driver
from tests.pictures import png, square
from tests.receivers import Received, Receiver, Reply, accept, receiver, status, verifies


@contextmanager
def registered(site: Site, *replies: Reply, **wanted: Any) -> Iterator[tuple[Receiver, Registered]]:
    with receiver(*replies) as found:
        added = add_webhook(site, found.url, **wanted)
        try:
            yield found, added
        finally:
            remove_webhook(site, added.webhook.webhook_id)


def said(received: Received) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(received.body)
    return content


def delivery(driver: Driver, message_id: str) -> str:
    """Wait until a message's delivery has ended; return the last state it entered."""
    arn = NAMES.execution_arn("deliver-webhook", message_id)
    driver.wait_until_ended(arn)
    return driver.states_of(describe(driver.cloud.client("stepfunctions"), arn))[-1]


def the_dead_letter(site: Site) -> DeadLetter:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := dead_letters(site)):
        assert time.monotonic() < deadline, "nothing was given up"
        time.sleep(0.1)
    (letter,) = found
    return letter


def hang(_request: BaseHTTPRequestHandler) -> None:
    time.sleep(17)


def test_a_receiver_that_fails_is_slow_and_recovers_gets_its_message_and_delays_no_other(
    driver: Driver, site: Site
) -> None:
    user = User(driver.cloud.api, "shop")
    wanted = {"prefix": prefix_of(user)}
    with (
        registered(site, status(500), status(503), hang, accept, **wanted) as (poor, added),
        registered(site, accept, **wanted) as (healthy, _),
        registered(site, accept, prefix="another's/") as (others, _),
    ):
        form = user.upload()
        assert send(form).status == 201
        healthy.wait_for(1)
        assert len(poor.received) < 4
        poor.wait_for(4)
        last = delivery(driver, poor.received[-1].headers["webhook-id"])

    (message,) = {each.body for each in poor.received}
    (ident,) = {each.headers["webhook-id"] for each in poor.received}
    data = json.loads(message)["data"]
    assert (last, len(poor.received), len(healthy.received)) == ("Settled", 4, 1)
    assert others.received == []
    assert all(verifies(added.secret, each) for each in poor.received)
    assert not verifies(added.secret, healthy.received[0])
    assert ident != healthy.received[0].headers["webhook-id"]
    assert (data["upload"], data["key"], data["state"]) == (form["id"], form["key"], "done")
    told = user.ask("GET", data["path"]).json()
    assert (told["state"], told["job"]) == ("done", data["job"])
    assert dead_letters(site) == []


def test_what_no_attempt_delivers_is_listed_and_sent_again(driver: Driver, site: Site) -> None:
    with registered(site, status(500, b"out of order")) as (found, added):
        driver.drop(png(square()), "webhooks/dead.png")
        letter = the_dead_letter(site)
        tries = len(found.received)
        found.replies = [accept]
        assert resend(site, letter) == resend(site, letter)
        found.wait_for(tries + 1)
        driver.wait_until_ended(resend(site, letter))

        assert (letter.webhook_id, letter.event) == (added.webhook.webhook_id, "job.done")
        assert letter.reason.startswith(f"ReceiverUnavailable: {found.url} answered 500")
        assert tries == 23
        assert len(found.received) == tries + 1
        assert {each.body for each in found.received} == {letter.body.encode()}
        assert dead_letters(site) == []


def test_a_dead_letter_that_dies_again_can_be_sent_again(driver: Driver, site: Site) -> None:
    with registered(site, status(410)) as (found, added):
        driver.drop(png(square()), "webhooks/gone.png")
        letter = the_dead_letter(site)
        again = resend(site, letter)
        driver.wait_until_ended(again)
        disabled = the_dead_letter(site)

        assert (letter.error, disabled.error) == ("ReceiverGone", "WebhookDisabled")
        assert resend(site, disabled) != again
        assert len(found.received) == 1

    assert dead_letters(site) == []
    assert added.webhook.webhook_id


def test_an_event_that_arrives_twice_is_sent_once(driver: Driver, site: Site) -> None:
    with registered(site) as (found, _):
        driver.drop(png(square()), "webhooks/twice.png")
        found.wait_for(1)
        states = driver.cloud.client("stepfunctions")
        listed = states.list_executions(stateMachineArn=NAMES.machine_arn("notify-webhooks"))
        told = describe(states, listed["executions"][0]["executionArn"]).input
        delivery(driver, found.received[0].headers["webhook-id"])
        second = driver.begin(told, "notify-webhooks")
        driver.wait_until_ended(second)

        assert driver.states_of(describe(states, second))[-1] == "StartedBefore"
        assert len(found.received) == 1


def test_a_sender_that_is_killed_sends_again(driver: Driver, site: Site) -> None:
    def kill(_request: BaseHTTPRequestHandler) -> None:
        for pid in driver.cloud.host.worker_pids(NAMES.function("webhook-sender")):
            os.kill(pid, signal.SIGKILL)

    with registered(site, kill, accept) as (found, _):
        driver.drop(png(square()), "webhooks/killed.png")
        found.wait_for(2)
        first, second = found.received

        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert delivery(driver, first.headers["webhook-id"]) == "Settled"


def test_a_receiver_learns_why_a_job_has_no_result(driver: Driver, site: Site) -> None:
    user = User(driver.cloud.api, "writer")
    with registered(site, prefix=prefix_of(user)) as (found, _):
        content = b"no photo"
        form = user.upload(name="letter.jpg", bytes=len(content))
        assert send(form, content).status == 201
        found.wait_for(1)
        told = said(found.received[0])
        ended = wait_for(user, form["id"], "quarantined")

    assert told["type"] == "job.quarantined"
    assert told["data"]["error"] == {
        "name": "UnsupportedMedia",
        "hint": ended["error"]["hint"],
    }
    assert (told["data"]["upload"], "job" in told["data"]) == (form["id"], False)


def test_a_bug_and_a_cancelled_job_are_told_without_what_is_inside(
    driver: Driver, site: Site
) -> None:
    states = driver.cloud.client("stepfunctions")
    with registered(site, events=["job.failed"]) as (found, _):
        driver.drop(png(square()), "webhooks/bug.png", model="buggy")
        found.wait_for(1)
        driver.faults.before(
            rf"GET /{NAMES.bucket('models')}",
            lambda: states.stop_execution(executionArn=driver.running()),
        )
        driver.drop(png(square()), "webhooks/stopped.png")
        found.wait_for(2)
        driver.drop(png(square()), "webhooks/fine.png")
        told = {said(each)["data"]["key"]: said(each)["data"] for each in found.received}

    assert {key: data["error"]["name"] for key, data in told.items()} == {
        "webhooks/bug.png": "JobFailed",
        "webhooks/stopped.png": "JobStopped",
    }
    assert b"division" not in b"".join(found.bodies)
    assert all(data["job"] for data in told.values())


def test_a_secret_that_is_rotated_while_a_message_waits_signs_it(
    driver: Driver, site: Site
) -> None:
    asked = threading.Event()

    def refuse(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        status(500)(request)

    with registered(site, refuse) as (found, added):
        driver.drop(png(square()), "webhooks/rotated.png")
        assert asked.wait(PATIENCE_S)
        secret = rotate_secret(site, added.webhook.webhook_id)
        found.replies = [accept]
        tries = len(found.received)
        found.wait_for(tries + 1)
        delivery(driver, found.received[-1].headers["webhook-id"])

    assert [verifies(each, found.received[-1]) for each in (added.secret, secret)] == [True, True]
    assert [verifies(each, found.received[0]) for each in (added.secret, secret)] == [True, False]
