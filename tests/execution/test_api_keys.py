"""A key that an operator made lets its holder in, as one principal, until it is revoked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner

from pipeline.cli.command import matteline
from pipeline.local.deployment import NAMES
from pipeline.operations.quotas import QUOTAS
from tests.execution.api import PHOTO, User, send, wait_for
from tests.execution.driver import PATIENCE_S, Driver


@dataclass(frozen=True)
class Holder(User):
    """A user of the API with a key, whose name is the key."""

    def ask(
        self, method: str, path: str, *, body: Any = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        named = {"authorization": f"Bearer {self.name}", **headers}
        return urllib3.request(
            method, f"{self.address}{path}", json=body, headers=named, timeout=PATIENCE_S
        )


@dataclass(frozen=True)
class Operator:
    """An operator who types `matteline keys`, or another group's commands."""

    driver: Driver

    def type(self, *words: str, code: int = 0, group: str = "keys") -> str:
        endpoint = ("--endpoint-url", self.driver.cloud.endpoint)
        done = CliRunner().invoke(matteline, [group, *words, *endpoint], env={"COLUMNS": "200"})
        assert done.exit_code == code, done.output
        return done.stdout

    def create(self, *words: str) -> Holder:
        key = self.type("create", *words).strip()
        assert re.fullmatch(r"mk_[0-9a-v]{16}_[0-9a-v]{32}", key)
        return Holder(self.driver.cloud.api, key)


@pytest.fixture
def operator(driver: Driver) -> Operator:
    return Operator(driver)


def id_of(holder: Holder) -> str:
    return holder.name.split("_")[1]


def test_a_key_lets_its_holder_in_until_it_is_revoked(operator: Operator) -> None:
    holder = operator.create("shop", "--expires", "1d")
    form = holder.upload()
    send(form)

    assert wait_for(holder, form["id"], "done")["results"]
    assert f"{id_of(holder)} " in operator.type("list")
    operator.type("revoke", id_of(holder))

    answer = holder.ask("GET", f"/jobs/{form['id']}")
    assert (answer.status, answer.json()) == (403, {"message": "Forbidden"})
    assert "revoked" in operator.type("list")
    assert User(holder.address, "ada").ask("GET", "/jobs").status == 200


def test_a_key_finds_only_what_belongs_to_its_principal(operator: Operator) -> None:
    first, other = operator.create("first"), operator.create("other")
    renewed = operator.create("first", "--principal", id_of(first))
    form = first.upload()

    assert other.ask("GET", f"/jobs/{form['id']}").status == 404
    assert renewed.ask("GET", f"/jobs/{form['id']}").status == 200
    prefix = first.ask("GET", "/quotas").json()["principal"]
    assert form["key"].startswith(f"{prefix}/")
    assert prefix in operator.type("list")
    spent = [row for row in operator.type("list", group="quotas").splitlines() if prefix in row]
    assert ["first" in row and "other" not in row for row in spent] == [True] * len(QUOTAS)


def test_only_an_operators_key_sees_everybodys_jobs(operator: Operator) -> None:
    desk, holder = operator.create("desk", "--operator"), operator.create("shop")
    form = holder.upload(bytes=len(PHOTO))
    send(form)
    job = wait_for(holder, form["id"], "done")["job"]

    assert desk.ask("GET", f"/jobs/{job}").json()["state"] == "done"
    assert operator.create("other").ask("GET", f"/jobs/{job}").status == 404


@pytest.mark.parametrize("key", ["mk_1_2", f"mk_{'0' * 16}_{'0' * 32}", "mk_"])
def test_a_made_up_key_is_denied(driver: Driver, key: str) -> None:
    answer = Holder(driver.cloud.api, key).ask("GET", "/models")

    assert (answer.status, answer.json()) == (403, {"message": "Forbidden"})


def test_a_secret_is_in_no_table_and_no_log(driver: Driver, operator: Operator) -> None:
    holder = operator.create("quiet")
    assert holder.ask("GET", "/quotas").status == 200

    secret = holder.name.rpartition("_")[2]
    rows = driver.cloud.client("dynamodb").scan(TableName=NAMES.table("keys"))["Items"]
    logs = "".join(path.read_text() for path in driver.cloud.logs.glob("*.log"))
    assert "GET" in logs
    assert secret not in str(rows) + logs


def test_what_is_no_key_cannot_be_revoked(operator: Operator) -> None:
    operator.type("revoke", "0" * 16, code=1)


@pytest.mark.parametrize(
    "words", [["shop", "--expires", "soon"], ["shop", "--expires", "0d"], [" "], ["a\nb"]]
)
def test_a_key_is_not_made_of_wrong_words(operator: Operator, words: list[str]) -> None:
    endpoint = ["--endpoint-url", operator.driver.cloud.endpoint]

    assert CliRunner().invoke(matteline, ["keys", "create", *words, *endpoint]).exit_code == 2
