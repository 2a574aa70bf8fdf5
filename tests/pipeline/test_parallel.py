"""Work is divided among the threads that a call has, and its results keep their order."""

from __future__ import annotations

import threading

import pytest

from pipeline import hardware
from pipeline.parallel import each, sharing


def threads_used(at_once: int) -> int:
    """How many of `at_once` pieces run at the same time: all wait for each other, or give up."""
    together = threading.Barrier(at_once)

    def meet(_: int) -> bool:
        try:
            together.wait(timeout=0.5)
        except threading.BrokenBarrierError:
            return False
        return True

    return sum(each(range(at_once), meet))


@pytest.mark.parametrize("threads", [2, 3])
def test_a_call_has_the_threads_it_is_given(threads: int) -> None:
    with sharing(threads):
        assert threads_used(threads) == threads
        assert threads_used(threads + 1) == 0


def test_a_call_with_one_thread_does_all_in_its_own() -> None:
    with sharing(1):
        assert each(range(3), lambda _: threading.get_ident()) == 3 * [threading.get_ident()]


def test_without_a_call_there_is_a_thread_per_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cores", lambda: 3)

    with sharing(1):
        assert threads_used(2) == 0
    assert threads_used(3) == 3


def test_divided_work_has_one_thread() -> None:
    def divide(_: int) -> bool:
        return set(each(range(4), lambda _: threading.get_ident())) == {threading.get_ident()}

    with sharing(2):
        assert each(range(4), divide) == 4 * [True]


@pytest.mark.parametrize("threads", [1, 4])
def test_results_are_in_the_order_of_the_pieces(threads: int) -> None:
    with sharing(threads):
        assert each(range(50), lambda piece: piece * piece) == [n * n for n in range(50)]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_one_piece_is_raised(threads: int) -> None:
    def fail(piece: int) -> None:
        if piece:
            raise MemoryError

    with sharing(threads), pytest.raises(MemoryError):
        each(range(4), fail)
