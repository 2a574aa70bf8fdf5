"""A job's results are deleted when its owner asks, and nothing claims afterwards to be whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import urllib3
from click.testing import CliRunner

from pipeline.cli.jobs import jobs
from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import Audit, audit
from pipeline.operations.site import Site
from pipeline.operations.verdicts import WITHDRAWN
from tests.execution.api import PHOTO, User, done, job, prefix_of, problem, send, wait_for
from tests.execution.driver import Driver
from tests.execution.faults import WEIGHTS_ARE_LISTED
from tests.execution.operating import Write, row_of
from tests.pictures import png, square

OUTPUT = NAMES.bucket("output")
OUTPUTS = {"outputs": ["cutout", "mask"]}


def delete(user: User, name: str) -> urllib3.BaseHTTPResponse:
    return user.ask("DELETE", f"/jobs/{name}?results=true")


def audited(site: Site, *owners: User) -> Audit:
    """Audit everything; findings are those of these users' jobs."""
    found = audit(site, datetime.now(UTC) - timedelta(hours=1), patience=timedelta(seconds=0))
    prefixes = tuple(map(prefix_of, owners))
    own = [each for each in found.findings if any(prefix in each.why for prefix in prefixes)]
    verdicts = [each for each in found.verdicts if each[0].source.key.startswith(prefixes)]
    return Audit(verdicts, own)


def test_results_are_deleted_and_the_job_says_so(driver: Driver, ada: User) -> None:
    found = done(ada, options=OUTPUTS)
    folder = found["key"].rpartition("/")[0]
    assert len(driver.keys("output", prefix=folder)) == 3

    answer = delete(ada, found["id"])

    assert answer.status == 200, answer.data
    assert driver.keys("output", prefix=folder) == []
    for name in (found["id"], found["job"], found["execution"]):
        deleted = job(ada, name)
        assert (deleted["state"], deleted["error"]["name"]) == ("deleted", "ResultDeleted")
        assert not deleted.keys() & {"results", "record"}
    listed = ada.ask("GET", "/jobs?status=deleted&limit=100").json()["jobs"]
    assert found["job"] in {each["id"] for each in listed}
    assert driver.keys("ingest", prefix=folder) == [found["key"]]


def test_results_can_be_restored_by_an_operator(driver: Driver, ada: User) -> None:
    found = done(ada)
    delete(ada, found["id"])

    listed = driver.s3.list_object_versions(Bucket=OUTPUT, Prefix=found["key"].rpartition("/")[0])

    assert len(listed["DeleteMarkers"]) == len(listed["Versions"]) == 2


def test_a_second_deletion_changes_nothing(driver: Driver, ada: User) -> None:
    found = done(ada)
    first, second = (delete(ada, found["id"]) for _ in range(2))

    assert (first.status, second.status) == (200, 200)
    assert second.json() == first.json()
    folder = found["key"].rpartition("/")[0]
    listed = driver.s3.list_object_versions(Bucket=OUTPUT, Prefix=folder)
    assert len(listed["DeleteMarkers"]) == 2


@pytest.mark.parametrize("file", ["cat_mask.png", "cat_bg_removed.json"])
def test_a_deletion_that_is_interrupted_leaves_nothing_whole_and_goes_on(
    driver: Driver, site: Site, ada: User, file: str
) -> None:
    found = done(ada, options=OUTPUTS)
    folder = found["key"].rpartition("/")[0]
    with driver.faults.outage(rf"DELETE /{OUTPUT}/.*/{file}"):
        assert problem(delete(ada, found["id"])) == (503, "tryagainlater")

    assert job(ada, found["id"])["state"] == "deleted"
    (finding,) = audited(site, ada).findings
    assert (finding.kind, finding.what) == (WITHDRAWN, found["job"])

    assert delete(ada, found["id"]).status == 200
    assert driver.keys("output", prefix=folder) == []
    assert audited(site, ada).findings == []


def test_of_two_deletions_at_the_same_time_both_are_answered(
    driver: Driver, site: Site, ada: User, rewrite: Write
) -> None:
    found = done(ada, options=OUTPUTS)
    driver.faults.before(  # the other one has come as far as its mark
        rf"GET /{OUTPUT}/.*_removed.json", lambda: rewrite(found["job"], status="DELETED")
    )

    answer = delete(ada, found["id"])

    assert (answer.status, answer.json()["state"]) == (200, "deleted")
    assert driver.keys("output", prefix=found["key"].rpartition("/")[0]) == []
    assert audited(site, ada).findings == []


def test_a_deletion_leaves_the_files_of_a_job_that_was_done_again_meanwhile(
    driver: Driver, site: Site, ada: User
) -> None:
    found = done(ada, options=OUTPUTS)
    with driver.faults.outage(rf"DELETE /{OUTPUT}/.*/cat_mask.png"):
        assert delete(ada, found["id"]).status == 503

    def do_again() -> None:
        answer = ada.ask("POST", f"/jobs/{found['id']}/replay", body={})
        assert wait_for(ada, answer.json()["id"], "done", "failed")["state"] == "done"

    driver.faults.before(rf"GET /{OUTPUT}/.*_removed.json", do_again)

    assert problem(delete(ada, found["id"])) == (409, "notdeletable")

    assert len(job(ada, found["id"])["results"]) == 2
    assert len(driver.keys("output", prefix=found["key"].rpartition("/")[0])) == 3
    assert audited(site, ada).findings == []


def test_a_deletion_ends_when_its_job_is_claimed_again(
    driver: Driver, ada: User, rewrite: Write
) -> None:
    found = done(ada, options=OUTPUTS)
    driver.faults.before(
        rf"DELETE /{OUTPUT}/.*", lambda: rewrite(found["job"], status="RUNNING", execution="a:new")
    )

    assert problem(delete(ada, found["id"])) == (409, "notdeletable")

    assert len(driver.keys("output", prefix=found["key"].rpartition("/")[0])) == 2


def test_the_audit_accounts_for_deleted_jobs(site: Site, ada: User) -> None:
    found = done(ada)
    delete(ada, found["id"])

    audit = audited(site, ada)

    assert audit.findings == []
    states = {each.source.key: verdict.state for each, verdict in audit.verdicts}
    assert states[found["key"]] == "DELETED"


def test_the_same_photo_makes_a_new_job_that_is_done_once(
    driver: Driver, site: Site, ada: User
) -> None:
    form = ada.upload()
    send(form)
    first = wait_for(ada, form["id"], "done")
    delete(ada, form["id"])
    list(driver._watch.ended())

    send(form)
    (execution,) = driver.wait_for([form["key"]])

    assert execution.verdict == "DONE"
    again = job(ada, form["id"])
    assert (again["state"], again["job"]) == ("done", first["job"])
    assert [each["sha256"] for each in again["results"]] == [
        each["sha256"] for each in first["results"]
    ]
    assert audited(site, ada).findings == []


def test_a_deleted_job_is_replayed(ada: User) -> None:
    found = done(ada)
    delete(ada, found["id"])

    answer = ada.ask("POST", f"/jobs/{found['id']}/replay", body={})

    assert answer.status == 202, answer.data
    assert wait_for(ada, found["id"], "done", "failed")["state"] == "done"
    assert job(ada, found["id"])["results"]


def test_the_result_of_a_later_job_at_the_same_key_stays(driver: Driver, ada: User) -> None:
    other = png(square(left=56))
    form = ada.upload(bytes=len(PHOTO))
    send(form)
    first = wait_for(ada, form["id"], "done")
    list(driver._watch.ended())
    driver.put(other, form["key"])
    (second,) = driver.wait_for([form["key"]])

    assert delete(ada, first["job"]).status == 200

    assert job(ada, first["job"])["state"] == "deleted"
    assert job(ada, second.output["job_id"])["results"]


@pytest.mark.parametrize("later_first", [False, True])
def test_files_that_a_later_jobs_record_does_not_name_are_deleted(
    driver: Driver, ada: User, *, later_first: bool
) -> None:
    first = done(ada, options=OUTPUTS)
    body = {"key": first["key"], "options": {"format": "webp"}}
    later = ada.ask("POST", "/jobs", body=body).json()
    later = wait_for(ada, later["id"], "done", "failed")
    files = {each["name"] for each in later["results"]}
    folder = first["key"].rpartition("/")[0]
    order = [first["job"], later["job"]]

    for name in reversed(order) if later_first else order:
        assert delete(ada, name).status == 200
        if name == first["job"] and not later_first:
            assert {each["name"] for each in job(ada, later["job"])["results"]} == files

    assert driver.keys("output", prefix=folder) == []


def test_what_has_no_results_is_not_deleted(driver: Driver, ada: User) -> None:
    told: list[tuple[int, str]] = []
    waiting, running = ada.upload(), ada.upload()
    driver.faults.before(
        WEIGHTS_ARE_LISTED, lambda: told.append(problem(delete(ada, running["id"])))
    )
    send(running)
    assert wait_for(ada, running["id"], "done", "failed")["state"] == "done"

    assert told == [(409, "notdeletable")]
    refused = done(ada, b"no photo", name="letter.txt")
    for name in (waiting["id"], refused["id"]):
        assert problem(delete(ada, name)) == (409, "notdeletable")


def test_only_the_owner_and_an_operator_delete(ada: User, bob: User, operator: User) -> None:
    found = done(ada)

    for name in (found["id"], found["job"], found["execution"]):
        assert problem(delete(bob, name)) == (404, "nosuchjob")
    assert job(ada, found["id"])["results"]
    assert delete(operator, found["job"]).status == 200
    assert job(ada, found["id"])["state"] == "deleted"


def test_an_operator_deletes_from_the_command_line(driver: Driver, site: Site, ada: User) -> None:
    found, refused = done(ada), done(ada, b"no photo")
    there = ["--endpoint-url", driver.cloud.endpoint]

    told = CliRunner().invoke(jobs, ["delete", found["execution"], refused["execution"], *there])

    assert told.output.splitlines() == [
        f"{found['execution']}  deleted: 2 files",
        f"{refused['execution']}  it is quarantined",
    ]
    assert told.exit_code == 1
    assert row_of(site, found["key"]).status == "DELETED"


def test_an_operator_deletes_all_results_of_a_user(driver: Driver, bob: User) -> None:
    carol = User(driver.cloud.api, "carol")  # nothing that another test began is hers
    done(carol)
    other = done(bob)
    words = ["delete", "--prefix", prefix_of(carol), "--endpoint-url", driver.cloud.endpoint]

    first, again = (CliRunner().invoke(jobs, words) for _ in range(2))

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert driver.keys("output", prefix=prefix_of(carol)) == []
    assert driver.keys("ingest", prefix=prefix_of(carol)) != []
    assert job(bob, other["id"])["state"] == "done"
