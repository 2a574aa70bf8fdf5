"""What all windows took together, and how well they went."""

from __future__ import annotations

from containers.transcript_writer.summing import coverage_of, remarks_of, sum_up, weights_of
from pipeline.contracts.transcript import Recording, WindowsDone
from tests.containers.transcript_writer import DIARIZER, TRANSCRIBER, WEIGHTS, part, window

RECORDING = Recording(
    codec="mp3", rate=44_100, channels=2, duration_s=90.0, remarks=("It is damaged.",)
)
OTHER = "f" * 64


def test_metrics_are_added_up_and_each_container_is_named_once() -> None:
    assert sum_up([window(index=0).said, window(index=1).said]) == WindowsDone(
        windows=2, metrics={"tokens": 6.0, "decode_ms": 1.0}, provenance=(TRANSCRIBER,)
    )


def test_parts_are_added_up_as_windows_are() -> None:
    assert sum_up([part(index=0), part(index=2)]) == WindowsDone(
        windows=2, metrics={"embed_ms": 3.0}, provenance=(DIARIZER,)
    )


def test_coverage_counts_each_windows_speech_by_its_time() -> None:
    windows = [window(end=10.0, coverage=1.0), window(start=10.0, end=40.0, coverage=0.5)]

    assert coverage_of(windows) == 0.625


def test_without_speech_all_of_it_is_covered() -> None:
    assert coverage_of([]) == 1.0
    assert sum_up([]) == WindowsDone(windows=0, metrics={}, provenance=())


def test_weights_are_those_of_all_windows_or_none() -> None:
    assert weights_of([window(), window(index=1)]) == WEIGHTS
    assert weights_of([window(), window(index=1, weights=OTHER)]) is None
    assert weights_of([]) is None


def test_each_remark_is_made_once() -> None:
    windows = [
        window(remarks=["A word is doubtful."]),
        window(index=1, remarks=["A word is doubtful."], weights=OTHER),
    ]

    assert remarks_of(RECORDING, windows) == (
        "It is damaged.",
        "A word is doubtful.",
        "The windows were transcribed with different versions of the weights.",
    )


def test_remarks_on_speakers_are_never_left_out_for_those_on_windows_and_parts() -> None:
    parts = [part(remarks=["A voice is faint."]), part(index=1, weights=OTHER)]
    many = window(remarks=[f"Remark {n}." for n in range(200)])

    assert remarks_of(RECORDING, [window()], parts, ["Two were expected."]) == (
        "It is damaged.",
        "Two were expected.",
        "A voice is faint.",
        "Speakers were told apart with different versions of the weights.",
    )
    assert "Two were expected." in remarks_of(RECORDING, [many], parts, ["Two were expected."])


def test_the_result_stays_small_however_much_is_remarked() -> None:
    remarks = remarks_of(RECORDING, [window(remarks=[f"Remark {n}." for n in range(200)])])

    assert len(remarks) == 41
    assert remarks[-1] == "There are 161 more remarks of this kind."
