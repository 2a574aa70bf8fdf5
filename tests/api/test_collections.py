"""A collection from its creation to its end, by an operator and those whom it allows to search."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.faces import created, embedded, ended, enrolled, found
from tests.execution.api import User, done, prefix_of, problem

ANNA, BEN = 3, 17  # marks that tell their faces apart


@pytest.mark.timeout(120)
def test_a_face_is_found_until_it_is_forgotten(operator: User, user: User, address: str) -> None:
    stranger = User(address, f"a stranger to {user.name}")
    anna, ben = embedded(operator, ANNA, name="anna.png"), embedded(operator, BEN, name="ben.png")
    again = embedded(user, ANNA)
    name = created(operator, "journey", user)
    assert enrolled(operator, name, anna["id"], "anna")["result"]["enrolled"] == 1
    assert enrolled(operator, name, ben["id"], "ben")["result"]["vectors"] == 2

    (match,) = found(user, name, again["id"], threshold=0.999)
    assert (match["person"], match["key"], match["face"]) == ("anna", anna["key"], 0)
    assert match["similarity"] == pytest.approx(1, abs=0.001)
    assert [each["person"] for each in found(operator, name, anna["id"], threshold=-1)] == [
        "anna", "ben",
    ]  # fmt: skip
    assert found(operator, name, anna["id"], threshold=-1, person="ben")[0]["person"] == "ben"
    through = user.ask(
        "POST", f"/collections/{name}/searches", body={"job_id": again["id"], "threshold": -1}
    )
    assert [each["field"] for each in through.json()["errors"]] == ["body.threshold"]

    body = {"job_id": embedded(stranger, ANNA)["id"]}
    hidden, missing = (
        stranger.ask("POST", f"/collections/{each}/searches", body=body) for each in (name, "never")
    )
    assert problem(hidden) == problem(missing) == (404, "collectionmissing")
    told = [json.loads(each.data)["detail"] for each in (hidden, missing)]
    assert told[0].replace(name, "never") == told[1]
    assert name not in stranger.ask("GET", "/collections").data.decode()

    forgetting = {"person": "anna"}
    path = f"/collections/{name}"
    receipt = ended(operator, name, operator.ask("POST", f"{path}/forgettings", body=forgetting))[
        "result"
    ]
    assert (receipt["forgotten"], receipt["photos"]) == (1, [anna["key"]])
    assert datetime.fromisoformat(receipt["erased_by"]) < datetime.now(UTC) + timedelta(days=8)
    assert [each["person"] for each in found(operator, name, ben["id"], threshold=-1)] == ["ben"]

    told = operator.ask("GET", path).json()
    assert (told["vectors"], told["forgotten"], told["may"]) == (1, 1, ["search", "manage"])
    searches = operator.ask("GET", f"{path}/searches").json()["items"]
    asked_by = [each["asked_by"] for each in searches]
    assert asked_by == [prefix_of(each).strip("/") for each in (*[operator] * 3, user)]
    assert [each["matches"] for each in searches] == [1, 1, 2, 1]

    assert ended(operator, name, operator.ask("DELETE", path))["state"] == "done"
    assert problem(user.ask("GET", path)) == (404, "collectionmissing")


@pytest.mark.timeout(120)
def test_who_may_search_is_changed_and_obeyed_at_once(
    operator: User, user: User, address: str
) -> None:
    guest = User(address, f"a guest of {user.name}")
    jobs = {each.name: embedded(each, ANNA)["id"] for each in (user, guest)}
    name = created(operator, "changed", user)
    names = {each.name: prefix_of(each).strip("/") for each in (user, guest)}

    changed = {"allow": [names[guest.name]], "revoke": [names[user.name]]}
    told = ended(operator, name, operator.ask("PATCH", f"/collections/{name}", body=changed))

    assert (told["state"], told["result"]) == ("done", {"allowed": [names[guest.name]]})
    assert found(guest, name, jobs[guest.name]) == []
    refused = user.ask("POST", f"/collections/{name}/searches", body={"job_id": jobs[user.name]})
    assert problem(refused) == (404, "collectionmissing")
    assert problem(guest.ask("PATCH", f"/collections/{name}", body=changed)) == (
        403,
        "operatorsonly",
    )
    assert problem(user.ask("PATCH", f"/collections/{name}", body=changed)) == (
        404,
        "collectionmissing",
    )


def test_jobs_are_searched_without_a_collection(user: User) -> None:
    anna, again, ben = (
        embedded(user, mark, name=f"{at}.png") for at, mark in enumerate((ANNA, ANNA, BEN))
    )

    body = {"job_id": again["id"], "among": [anna["id"], ben["job"]], "threshold": 0.999}
    answer = user.ask("POST", "/searches", body=body)

    assert answer.status == 200, answer.data
    ((match,),) = (each["matches"] for each in answer.json()["queries"])
    assert (match["key"], match["person"], match["enrolled_at"]) == (anna["key"], None, None)
    assert answer.json()["searched"] == 2


def test_a_face_is_chosen_by_its_index(operator: User, user: User) -> None:
    name = created(operator, "chosen", user)
    both = embedded(user, ANNA, BEN)

    answers = [
        user.ask("POST", f"/collections/{name}/searches", body={"job_id": both["id"], **more})
        for more in ({}, {"face": 1}, {"face": 2})
    ]

    faces = [[query["face"] for query in each.json().get("queries", [])] for each in answers]
    assert (sorted(faces[0]), faces[1]) == ([0, 1], [1])
    assert problem(answers[2]) == (422, "invalidrequest")
    assert answers[2].json()["errors"][0]["field"] == "body.face"


def test_what_has_no_vectors_cannot_be_searched_for(operator: User, user: User) -> None:
    name = created(operator, "without", user)
    path = f"/collections/{name}/searches"

    for job in (done(user), user.upload(), done(user, b"no photo", name="letter.txt")):
        answer = user.ask("POST", path, body={"job_id": job["id"]})
        assert problem(answer) == (422, "novectors")


def test_an_action_that_fails_says_why(operator: User, user: User) -> None:
    name = created(operator, "taken")
    job = embedded(operator, ANNA)
    enrolled(operator, name, job["id"], "anna")

    asked = {"name": name, "purpose": "another", "legal_basis": "consent", "retention_days": 1}
    assert problem(operator.ask("POST", "/collections", body=asked)) == (409, "collectionexists")
    asked |= {"purpose": "find staff", "retention_days": 30, "index": "hnsw"}
    told = ended(operator, name, operator.ask("POST", "/collections", body=asked))

    assert (told["state"], told["error"]["name"]) == ("failed", "CollectionExists")
    assert told["error"]["hint"]
    path = f"/collections/{name}/actions/{told['id']}"
    assert problem(user.ask("GET", path)) == (404, "collectionmissing")


def test_an_action_is_no_job(operator: User, user: User) -> None:
    name = created(operator, "no-job")
    begun = operator.ask("POST", f"/collections/{name}/forgettings", body={"person": "anna"})
    action = ended(operator, name, begun)["id"]

    assert problem(operator.ask("GET", f"/jobs/{action}")) == (404, "nosuchjob")
    assert problem(user.ask("GET", f"/jobs/{action}")) == (404, "nosuchjob")
    assert action not in operator.ask("GET", "/jobs?limit=100").data.decode()
