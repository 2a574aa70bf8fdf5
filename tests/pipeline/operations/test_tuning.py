"""Times follow from CPU-seconds and Lambda's share of CPUs; the proposal holds the task."""

from __future__ import annotations

import pytest

from pipeline.operations.tuning import Preference, Size, Spent, propose, threads_with

ONE, TWO = 1769, 3538  # MB with which Lambda gives one CPU, and two


@pytest.mark.parametrize(
    ("spent", "memory_mb", "seconds"),
    [
        pytest.param(Spent(2.0, 2.0, 1), ONE, 2.0, id="one-thread-with-one-cpu"),
        pytest.param(Spent(2.0, 2.0, 1), 442, 8.0, id="one-thread-with-a-quarter"),
        pytest.param(Spent(1.0, 2.0, 2), TWO, 1.0, id="shared-work-with-two-cpus"),
        pytest.param(Spent(1.0, 2.0, 2), 2 * TWO, 0.5, id="shared-work-with-four"),
        pytest.param(Spent(2.0, 2.0, 2), 2 * TWO, 2.0, id="nothing-is-shared"),
        pytest.param(Spent(1.5, 2.0, 2), 2 * TWO, 1.25, id="half-is-shared"),
        pytest.param(Spent(1.5, 0.5, 1), 884, 2.0, id="waiting-needs-no-cpu"),
        pytest.param(Spent(4.0, 4.0, 1), 2 * TWO, 1.0, id="a-machine-with-one-core-cannot-tell"),
        pytest.param(Spent(1.0, 1.0, 1), 2600, 1.0, id="a-second-thread-comes-at-half-a-cpu-more"),
    ],
)
def test_a_call_takes_what_its_cpu_seconds_take_there(
    spent: Spent, memory_mb: int, seconds: float
) -> None:
    assert spent.on_lambda(memory_mb) == pytest.approx(seconds, rel=2e-3)


def test_threads_are_as_many_as_a_function_has() -> None:
    assert [threads_with(size) for size in (128, 1024, 1769, 2600, 3008, 3538, 10240)] == [
        1, 1, 1, 1, 2, 2, 6,
    ]  # fmt: skip


def test_the_price_is_that_of_memory_time_and_request() -> None:
    size = Size(1024, seconds=2.0)

    assert size.dollars_per_1000 == pytest.approx(2000 * 0.0000166667 + 0.0002)
    assert Size(1024, error="OutOfMemory").dollars_per_1000 is None


SIZES = (
    Size(1024, seconds=4.0, peak_mb=700),
    Size(2048, seconds=2.1, peak_mb=800),
    Size(4096, seconds=1.0, peak_mb=800),
    Size(8192, seconds=0.95, peak_mb=800),
)


@pytest.mark.parametrize(
    ("prefer", "memory_mb"),
    [
        pytest.param("speed", 4096, id="speed-is-not-paid-at-any-price"),
        pytest.param("balanced", 4096, id="balanced"),
        pytest.param("cost", 4096, id="cost-is-the-fastest-of-the-cheap"),
    ],
)
def test_a_size_is_proposed(prefer: Preference, memory_mb: int) -> None:
    proposed = propose(SIZES, prefer)

    assert proposed is not None
    assert proposed.memory_mb == memory_mb


def test_preferences_differ_where_speed_costs() -> None:
    sizes = (
        Size(1000, seconds=4.0, peak_mb=500),
        Size(2000, seconds=2.5, peak_mb=500),
        Size(4000, seconds=2.0, peak_mb=500),
    )
    preferences: tuple[Preference, ...] = ("cost", "balanced", "speed")
    chosen = [propose(sizes, prefer) for prefer in preferences]

    assert [size.memory_mb if size else None for size in chosen] == [1000, 2000, 4000]


def test_the_largest_peak_of_all_sizes_has_to_fit_with_a_tenth_in_reserve() -> None:
    tight = Size(1024, seconds=1.0, peak_mb=700)
    roomy = Size(2048, seconds=1.0, peak_mb=940)

    assert propose([tight, roomy], "cost") is roomy
    assert propose([tight, Size(2048, seconds=1.0, peak_mb=930)], "cost") is tight


def test_what_ran_out_of_memory_is_not_proposed() -> None:
    assert propose([Size(512, peak_mb=512, error="OutOfMemory")], "cost") is None
    assert propose([Size(512, error="OutOfMemory"), SIZES[0]], "cost") is SIZES[0]
