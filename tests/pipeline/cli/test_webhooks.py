"""The operator's commands for webhooks."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.webhooks import webhooks
from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.site import Site
from pipeline.webhooks.errors import ReceiverUnavailable

URL = "http://127.0.0.1:8000/hooks"


@pytest.fixture(autouse=True)
def reached(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands reach this site."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: site)


def typed(*words: str) -> Result:
    return CliRunner().invoke(webhooks, words)


def added(*words: str) -> tuple[str, str]:
    """Return the id and the secret that `add` prints."""
    result = typed("add", URL, *words)
    assert result.exit_code == 0, result.output
    found = re.fullmatch(r"webhook  (wh_\w+)\nsecret   (whsec_\S+)\n", result.output)
    assert found is not None
    return found[1], found[2]


def put_dead_letter(site: Site, webhook_id: str) -> None:
    texts = {
        "message_id": "msg_1",
        "webhook_id": webhook_id,
        "body": '{"type":"job.done","data":{"key":"cats/cat.jpg"}}',
        "error": "ReceiverUnavailable",
        "cause": '{"errorType": "ReceiverUnavailable", "errorMessage": "it answered 500\\nWait."}',
        "died_at": "2026-10-01T00:00:00.000Z",
    }
    site.client("dynamodb").put_item(
        TableName=LOCAL_NAMES.table("dead-letters"),
        Item={name: {"S": text} for name, text in texts.items()},
    )


def test_a_secret_is_shown_once_and_rotated() -> None:
    webhook_id, secret = added("--event", "job.failed", "--prefix", "shop/")
    listed = typed("list").output
    rotated = typed("rotate", webhook_id, "--signs-along", "1").output.strip()

    assert rotated.startswith("whsec_")
    assert rotated != secret
    assert "whsec_" not in listed
    for text in (webhook_id, "job.failed", "shop/", "enabled", URL):
        assert text in listed


def test_a_dead_letter_is_listed_and_removed_with_its_webhook(site: Site) -> None:
    webhook_id, _ = added()
    put_dead_letter(site, webhook_id)
    listed = typed("dead").output
    others = typed("dead", "--webhook", added()[0]).output

    assert typed("enable", webhook_id).exit_code == 0
    assert typed("remove", webhook_id).exit_code == 0
    for text in ("msg_1", "job.done", "cats/cat.jpg", "ReceiverUnavailable: it answered 500. Wait"):
        assert text in listed
    assert "msg_1" not in others
    assert "msg_1" not in typed("dead").output
    assert webhook_id not in typed("list").output


def test_an_address_that_cannot_be_found_is_not_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise ReceiverUnavailable(f"{host}:{port} cannot be resolved")

    monkeypatch.setattr("pipeline.webhooks.addresses.resolve_host", nowhere)

    result = typed("add", "https://shop.invalid/hooks")

    assert result.exit_code == 1
    assert "shop.invalid:443 cannot be resolved\nCheck the address, then" in result.output
    assert "resend" not in result.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "http://example.com"], 1, "AddressNotPublic: the address of a receiver begins"),
        (["add", "https://127.1/"], 1, "which is not public\nRegister an https address"),
        (["add", URL, "--event", "job.lost"], 2, "job.done"),
        (["rotate", "wh_0"], 1, "there is no webhook wh_0\n`matteline webhooks list`"),
        (["remove", "wh_0"], 1, "there is no webhook wh_0"),
        (["dead", "--webhook", "wh_0"], 1, "there is no webhook wh_0\n`matteline webhooks list`"),
        (["resend", "--webhook", "wh_0"], 1, "there is no webhook wh_0"),
        (["resend"], 2, "name messages, or pass --webhook"),
        (["resend", "msg_1", "--webhook", "wh_0"], 2, "name messages, or pass --webhook"),
        (["resend", "msg_0"], 1, "msg_0  is no dead letter"),
    ],
)
def test_what_cannot_be_done_is_said(words: list[str], code: int, said: str) -> None:
    result = typed(*words)

    assert (result.exit_code, said in result.output) == (code, True), result.output
