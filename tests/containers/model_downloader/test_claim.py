"""One execution stages a model; the others wait, but not for the dead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from containers.model_downloader.claim import LEASE_S, Claim, claimed
from pipeline.artifacts import ArtifactStore, LocalStore, Location
from pipeline.aws.s3 import S3Store
from pipeline.errors import StoreUnavailable, WeightsClaimed
from pipeline.local.moto import compat

PLACE = Location("models", "net/0123456789ab/claim.json")


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    compat.apply()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket="models")
        yield S3Store(client)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> ArtifactStore:
    store: ArtifactStore = request.getfixturevalue(request.param)
    return store


def claim(store: ArtifactStore, *, now: float = 0.0) -> Any:
    return claimed(store, PLACE, now=lambda: now)


def die_holding(store: ArtifactStore) -> None:
    """Leave a claim as a function does that was killed at time 0."""
    left = Claim(holder="the dead", expires_at=LEASE_S)
    store.write(PLACE, left.model_dump_json().encode(), media_type="application/json")


def held(store: ArtifactStore) -> bool:
    try:
        store.read(PLACE)
    except KeyError:
        return False
    return True


def test_a_claim_is_there_while_it_is_held(store: ArtifactStore) -> None:
    with claim(store):
        assert held(store)
    assert not held(store)


def test_a_second_claim_is_refused_by_name(store: ArtifactStore) -> None:
    with (
        claim(store),
        pytest.raises(WeightsClaimed, match=f"another execution holds {PLACE.uri}"),
        claim(store),
    ):
        pytest.fail("both hold it")


def test_a_refusal_leaves_the_claim_to_its_holder(store: ArtifactStore) -> None:
    with claim(store):
        with pytest.raises(WeightsClaimed), claim(store):
            pass
        assert held(store)


def test_a_claim_is_given_back_when_its_holder_fails(store: ArtifactStore) -> None:
    with pytest.raises(ZeroDivisionError), claim(store):
        raise ZeroDivisionError

    with claim(store):
        assert held(store)


class Forgetful(LocalStore):
    """Every answer to a conditional write is lost once, and the write sent again."""

    def write_if_unchanged(
        self, location: Location, content: bytes, *, etag: str | None
    ) -> str | None:
        super().write_if_unchanged(location, content, etag=etag)
        return super().write_if_unchanged(location, content, etag=etag)


@pytest.mark.parametrize("dead", [False, True])
def test_nobody_is_refused_by_a_claim_of_their_own(tmp_path: Path, *, dead: bool) -> None:
    store = Forgetful(tmp_path / "store")
    if dead:
        die_holding(store)

    with claim(store, now=LEASE_S):
        assert held(store)
        with pytest.raises(WeightsClaimed), claim(store, now=LEASE_S):
            pass
    assert not held(store)


class Sticky(LocalStore):
    """Does not answer when it is to delete."""

    def delete_if_unchanged(self, location: Location, *, etag: str) -> None:  # noqa: ARG002
        raise StoreUnavailable(f"S3 did not answer for {location.uri}")


def test_a_claim_that_cannot_be_given_back_does_not_hide_what_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as first, claim(Sticky(tmp_path)):
        raise ZeroDivisionError

    assert "S3 did not answer for" in first.value.__notes__[0]


def test_a_claim_that_cannot_be_given_back_is_an_outage_if_all_went_well(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable), claim(Sticky(tmp_path)):
        pass


@pytest.mark.parametrize(("age_s", "refused"), [(LEASE_S - 1, True), (LEASE_S, False)])
def test_a_claim_is_taken_over_once_its_holder_must_be_dead(
    store: ArtifactStore, age_s: float, *, refused: bool
) -> None:
    die_holding(store)

    try:
        with claim(store, now=age_s):
            assert not refused
    except WeightsClaimed:
        assert refused


def test_whoever_was_taken_over_takes_nothing_away(store: ArtifactStore) -> None:
    slow = claim(store)
    slow.__enter__()
    with claim(store, now=LEASE_S):
        slow.__exit__(None, None, None)
        assert held(store)


def test_a_claim_nobody_can_read_is_taken_over(store: ArtifactStore) -> None:
    store.write(PLACE, b"half a cla", media_type="application/json")

    with claim(store):
        assert held(store)
    assert not held(store)


def how_many_get_it(store: ArtifactStore, *, now: float = 0.0) -> int:
    """Of eight who try at once; whoever gets it keeps it until all have tried."""
    start, tried = threading.Barrier(8, timeout=30), threading.Barrier(8, timeout=30)

    def try_once(_: int) -> bool:
        start.wait()
        with ExitStack() as held:
            try:
                held.enter_context(claim(store, now=now))
            except WeightsClaimed:
                return False
            finally:
                tried.wait()
            return True

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(try_once, range(8)))


def test_of_many_at_once_exactly_one_gets_it(store: ArtifactStore) -> None:
    assert how_many_get_it(store) == 1


def test_of_many_who_find_a_dead_holder_exactly_one_takes_over(store: ArtifactStore) -> None:
    die_holding(store)

    assert how_many_get_it(store, now=LEASE_S) == 1
