"""A stage is watched through CloudWatch's metrics; times, shares and prices are added up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import stage_names
from pipeline.operations.live.flow import Flow, percentile
from pipeline.operations.live.metered import MeteredCalls
from pipeline.operations.live.snapshot import Backfill, Spent
from pipeline.operations.measured_cost import spent_in
from pipeline.operations.site import Site
from tests.conftest import ROOT

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
BLUEPRINT = Blueprint.read(ROOT)
U2NETP = next(each for each in BLUEPRINT.functions if each.row and each.row.name == "u2netp")


@pytest.fixture
def site() -> Iterator[Site]:
    with mock_aws():
        names = stage_names("dev", account="123456789012", region="eu-central-1")
        session = boto3.Session("a", "b", region_name="eu-central-1")
        yield Site(names, session, BLUEPRINT.products)


def put(site: Site, space: str, metric: str, of: tuple[str, str], *values: float) -> None:
    """Publish a value for each of the last minutes, the latest first."""
    data: list[dict[str, Any]] = [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": of[0], "Value": of[1]}],
            "Timestamp": NOW - timedelta(minutes=1 + place),
            "Value": value,
        }
        for place, value in enumerate(values)
    ]
    site.client("cloudwatch").put_metric_data(Namespace=space, MetricData=data)


def flow(**started: int) -> Flow:
    return Flow((), {}, (), started)


def test_metrics_of_functions_are_added_up_by_container(site: Site) -> None:
    function = ("FunctionName", U2NETP.name(site.names))
    put(site, "AWS/Lambda", "Duration", function, 3_000, 1_000)
    put(site, "AWS/Lambda", "ConcurrentExecutions", function, 2, 7)
    put(site, "Matteline", "cold_start", ("service", "background-remover"), 1, 0, 0)

    calls = MeteredCalls(site, BLUEPRINT).look(NOW, flow(cutout=2))

    (remover,) = calls.containers
    assert (remover.in_flight, remover.calls, remover.cold) == (2, 3, 1)
    assert calls.spent["cutout"].gb_s == pytest.approx(4 * U2NETP.memory_mb / 1024)


def test_a_shared_container_counts_by_each_products_share(site: Site) -> None:
    names, memory_mb = site.names, 0
    for each in BLUEPRINT.functions:
        if each.manifest.name == "media-inspector":
            memory_mb = each.memory_mb
            put(site, "AWS/Lambda", "Duration", ("FunctionName", each.name(names)), 4_000)
    put(site, "Matteline", "duration_s", ("service", "audio-reader"), 1_800, 1_800)

    spent = MeteredCalls(site, BLUEPRINT).look(NOW, flow(cutout=3, transcript=1)).spent

    whole = 4 * memory_mb / 1024
    assert spent["cutout"].gb_s == pytest.approx(whole * 3 / 4)
    assert spent["transcript"].gb_s == pytest.approx(whole / 4)
    assert spent["faces"].gb_s == 0
    assert spent["transcript"].per_hour_of_sound == pytest.approx(spent["transcript"].dollars)
    assert spent["cutout"].per_hour_of_sound is None


def test_metrics_cost_money_and_are_asked_for_once_a_minute(site: Site) -> None:
    watched = MeteredCalls(site, BLUEPRINT)
    of = ("service", "edge-refiner")
    assert watched.look(NOW, flow()).containers == []
    put(site, "Matteline", "cold_start", of, 0)

    soon = watched.look(NOW + timedelta(seconds=59), flow())
    later = watched.look(NOW + timedelta(seconds=60), flow())

    assert soon.containers == []
    assert [each.calls for each in later.containers] == [1]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3.0], 0.95, 3.0), ([1, 2, 3, 4], 0.5, 2), (range(1, 101), 0.95, 95)],
    ids=["none", "one", "even", "hundred"],
)
def test_a_percentile_is_one_of_the_values(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


def test_what_is_left_of_a_backfill_follows_from_its_pace() -> None:
    begun = Backfill("old", NOW - timedelta(minutes=10), total=300, ended=100)

    assert begun.left_s(NOW) == 20 * 60
    assert Backfill("new", NOW, total=300, ended=0).left_s(NOW) is None


def test_the_price_is_that_of_functions_and_of_machines() -> None:
    spent = Spent(gb_s=1_000, vcpu_s=3_600, sound_s=7_200)

    assert spent.dollars == pytest.approx(1_000 * 0.0000166667 + 0.02)
    assert spent.per_thousand(10) == pytest.approx(100 * spent.dollars)
    assert spent.per_thousand(0) is None
    assert spent.per_hour_of_sound == pytest.approx(spent.dollars / 2)


@pytest.mark.parametrize(
    "tasks",
    [None, [], {"Denoise": {"metrics": None}}, {"Denoise": None}, {"Inspect": {"metrics": {}}}],
    ids=["no-tasks", "list", "no-metrics", "null", "before-figures"],
)
def test_records_without_figures_have_none(tasks: object) -> None:
    assert list(spent_in(tasks)) == []
