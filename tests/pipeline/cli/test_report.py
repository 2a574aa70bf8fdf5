"""Tables and lines name every file, and fit a terminal."""

from __future__ import annotations

import io
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress, ProgressColumn

from pipeline.cli import report
from pipeline.errors import UnsupportedMedia
from pipeline.session.batch import MediaFile, Outcome
from pipeline.session.collecting import Skipped
from pipeline.session.media import FACES, PHOTO, RECORDING
from pipeline.session.run_messages import TranscriptProgress


def outcome(name: str, status: str = "DONE", reason: str = "") -> Outcome:
    shown = None if reason else Path("out", f"{name}_bg_removed.png")
    file = MediaFile(Path(f"{name}.jpg"), name, PHOTO)
    return Outcome(file, status, "net", shown=shown, reason=reason)


def table(*outcomes: Outcome) -> str:
    screen = Console(file=io.StringIO(), width=200)
    report.print_outcomes(screen, outcomes)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def lines(*skipped: Skipped) -> list[str]:
    said: list[str] = []
    report.print_skipped(said.append, skipped)
    return said


def test_each_photo_of_a_small_batch_has_a_row() -> None:
    shown = table(*(outcome(f"photo-{number}") for number in range(report.MOST_ROWS)))

    assert shown.count("DONE") == report.MOST_ROWS


def test_a_photo_whose_model_ran_in_a_job_says_so_and_its_time_is_the_tasks() -> None:
    job = {"Inspect": 34.0, "RunRemoveBackground": 975.6, "RefineEdges": 430.0}
    both = {"RemoveBackground": 25.0, "RunRemoveBackground": 1_000.0}

    shown = table(
        *(replace(outcome("cat"), task_ms=spent) for spent in (job, both)), outcome("dog")
    )

    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines()]
    rows = [row for row in cells if row[0] in {"cat", "dog"}]
    assert [(row[2], row[5]) for row in rows] == [
        ("net (AWS Batch)", "976"),
        ("net (AWS Batch)", "1,025"),
        ("net", ""),
    ]


def test_a_large_batch_has_rows_for_failures_and_counts() -> None:
    batch = [outcome(f"photo-{number}") for number in range(1_500)]

    shown = table(*batch, outcome("bad", "QUARANTINED", "NoSubject"))

    assert [line.split()[1] for line in shown.splitlines() if "NoSubject" in line] == ["bad"]
    assert "Of 1,501 photos: 1,500 DONE, 1 QUARANTINED" in shown
    assert len(shown.splitlines()) < 10
    assert table(*batch).splitlines() == ["Of 1,500 photos: 1,500 DONE"]


def test_a_single_photo_is_counted_in_the_singular() -> None:
    shown = table(outcome("bad", "QUARANTINED", "NoSubject"))

    assert shown.splitlines()[-1] == "Of 1 photo: 1 QUARANTINED"


def recording(name: str, tmp_path: Path, **said: object) -> Outcome:
    """Return the outcome of a recording of which its record says this."""
    record = tmp_path / f"{name}_transcript.record.json"
    told = {"recording": {"duration_s": 754.6}, "languages": ["de", "en"], "words": 1234} | said
    record.write_text(json.dumps(told))
    shown = tmp_path / f"{name}_transcript.txt"
    file = MediaFile(Path(f"{name}.mp3"), name, RECORDING)
    return Outcome(file, "DONE", "whisper-base", seconds=37.73, shown=shown, record=record)


def test_a_recording_has_a_row_with_language_duration_words_and_speed(tmp_path: Path) -> None:
    shown = table(recording("talk", tmp_path), outcome("cat"))

    (row,) = (line for line in shown.splitlines() if "whisper-base" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[:-1] == ["talk", "DONE", "whisper-base", "de, en", "12:35", "1,234", "20.0×"]
    assert "cat_bg_removed.png" in shown


def test_the_number_of_speakers_is_shown_if_any_recording_was_diarized(tmp_path: Path) -> None:
    named = {"SPEAKER_00": 3.5, "SPEAKER_01": 4.0}
    talk, plain = recording("talk", tmp_path, speakers=named), recording("plain", tmp_path)
    silent = recording("silent", tmp_path, speakers={})

    shown = table(talk, plain, silent)

    rows = [line.split("│") for line in shown.splitlines() if "whisper-base" in line]
    assert [row[6].strip() for row in rows] == ["2", "", "0"]
    assert "speakers" in shown.splitlines()[1]
    assert "speakers" not in table(plain).splitlines()[1]


def faces(name: str, tmp_path: Path, count: int, *ends: str, **said: object) -> Outcome:
    """Return the outcome of a photo in which faces were looked for."""
    record = tmp_path / f"{name}_faces.record.json"
    kinds = {".json": "faces", "_preview.jpg": "preview", ".embeddings.safetensors": "embeddings"}
    files = [
        {"kind": kinds.get(end, "redacted"), "uri": f"s3://output/run_1/{name}_faces{end}"}
        for end in (".json", *ends)
    ]
    record.write_text(json.dumps({"count": count, "embedded": None, "files": files, **said}))
    shown = Path("out", f"{name}_faces{ends[-1] if ends else '.json'}")
    file = MediaFile(Path(f"{name}.jpg"), name, FACES)
    return Outcome(file, "DONE", "face-api-ssd", shown=shown, record=record)


def cells(shown: str, name: str) -> list[list[str]]:
    """Return the cells of the lines that belong to a photo."""
    lines = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines()]
    first = next(at for at, line in enumerate(lines) if line[0] == name)
    rest = (line for line in lines[first + 1 :])
    return [lines[first], *itertools.takewhile(lambda line: line[0] == "", rest)]


def test_a_photo_has_one_row_with_the_number_of_its_faces(tmp_path: Path) -> None:
    shown = table(
        faces("many", tmp_path, 3, "_preview.jpg", "_redacted.jpg"),
        faces("one", tmp_path, 1),
        faces("none", tmp_path, 0),
        outcome("cat"),
    )

    assert cells(shown, "many") == [
        ["many", "DONE", "face-api-ssd", "3 faces", "out/many_faces_redacted.jpg"]
    ]
    assert cells(shown, "one")[0][3:] == ["1 face", "out/one_faces.json"]
    assert cells(shown, "none")[0][3:] == ["no faces", "out/none_faces.json"]
    assert "cat_bg_removed.png" in shown
    assert "vectors" not in shown


def test_the_number_of_vectors_is_shown_if_any_photo_has_some(tmp_path: Path) -> None:
    shown = table(faces("many", tmp_path, 3, embedded=2), faces("plain", tmp_path, 1))

    assert cells(shown, "many")[0][3:5] == ["3 faces", "2"]
    assert cells(shown, "plain")[0][3:5] == ["1 face", ""]


def test_a_photo_that_could_not_be_searched_says_why() -> None:
    file = MediaFile(Path("bad.jpg"), "bad", FACES)

    shown = table(Outcome(file, "QUARANTINED", reason="CorruptMedia: damaged [b]JPEG[/b]"))

    assert cells(shown, "bad")[0] == [
        "bad", "QUARANTINED", "", "", "CorruptMedia: damaged [b]JPEG[/b]",
    ]  # fmt: skip
    assert shown.splitlines()[-1] == "Of 1 photo: 1 QUARANTINED"


def homes(*outcomes: Outcome) -> str:
    screen = Console(file=io.StringIO(), width=200)
    report.print_homes(screen, outcomes, Path("out"))
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_the_last_line_names_every_file_of_the_transcripts(tmp_path: Path) -> None:
    def made(name: str, **ends: str) -> Outcome:
        all_ends = {"text": "_transcript.txt", **ends}
        files = [
            {"kind": kind, "uri": f"s3://output/run_1/{name}{end}"}
            for kind, end in all_ends.items()
        ]
        return recording(name, tmp_path, files=files)

    talk = made("my_talk", denoised="_denoised.wav")
    both = made("both", speakers="_speakers.rttm", tags="_tags.json")

    plain = "Transcripts as .txt, .srt, .vtt and .json"
    assert homes(made("plain")) == f"{plain} are in out/\n"
    assert homes(talk) == f"{plain} and denoised recordings as _denoised.wav are in out/\n"
    assert homes(talk, both, outcome("cat")) == (
        f"{plain}, speakers as _speakers.rttm, sounds as _tags.json and denoised recordings as "
        "_denoised.wav are in out/\n"
    )
    assert homes(outcome("cat"), outcome("bad", "FAILED", "broken")) == ""


def test_the_last_line_names_every_kind_of_file_of_faces(tmp_path: Path) -> None:
    jpeg = faces("a_faces_b", tmp_path, 2, "_preview.jpg", "_redacted.jpg")
    png = faces("c", tmp_path, 2, ".embeddings.safetensors", "_redacted.png")

    assert homes(faces("plain", tmp_path, 1)) == "Faces as _faces.json are in out/\n"
    assert homes(jpeg, png, outcome("cat")) == (
        "Faces as _faces.json, previews as _faces_preview.jpg, copies with hidden faces as "
        "_faces_redacted.jpg or _faces_redacted.png and vectors as _faces.embeddings.safetensors "
        "are in out/\n"
    )


def test_a_recording_in_which_nobody_speaks_has_no_speed(tmp_path: Path) -> None:
    silent: dict[str, object] = {"recording": {"duration_s": 0}, "languages": [], "words": 0}

    shown = table(recording("silent", tmp_path, **silent))

    (row,) = (line for line in shown.splitlines() if "whisper-base" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[3:7] == ["", "0:00", "0", ""]


def test_remarks_stand_below_the_result(tmp_path: Path) -> None:
    shown = table(recording("cut", tmp_path, remarks=["Damaged parts: 2.", "A [b]track[/b]."]))

    cells = [line.strip("│ ").split("│")[-1].strip() for line in shown.splitlines()]
    at = next(at for at, cell in enumerate(cells) if cell.endswith("cut_transcript.txt"))
    assert cells[at + 1 : at + 3] == ["Damaged parts: 2.", "A [b]track[/b]."]


def test_the_text_of_the_only_recording_is_shown_if_it_is_short(tmp_path: Path) -> None:
    talk, other = recording("talk", tmp_path), recording("other", tmp_path)
    for each in (talk, other):
        assert each.shown
        each.shown.write_text("Guten Tag.\n\n[red]Ende\x1b[2J.\n")
    long = recording("long", tmp_path)
    assert long.shown
    long.shown.write_text("word " * 1_000)

    def text(*outcomes: Outcome) -> list[str]:
        screen = Console(file=io.StringIO(), width=200)
        report.print_short_text(screen, outcomes)
        assert isinstance(screen.file, io.StringIO)
        return screen.file.getvalue().splitlines()

    assert text(talk, outcome("cat")) == ["  Guten Tag.", "  [red]Ende\\x1b[2J."]
    assert text(talk, other) == text(long) == text(outcome("cat")) == []


def test_a_short_text_is_shown_with_its_speakers(tmp_path: Path) -> None:
    talk = recording("talk", tmp_path, speakers={"SPEAKER_00": 3.5, "SPEAKER_01": 4.0})
    assert talk.shown
    talk.shown.write_text("Good day. All well? Yes. Hm.")
    spoken = [
        ("SPEAKER_00", " Good day."),
        ("SPEAKER_00", " All\x1b[2J well?"),
        ("SPEAKER_01", "Yes."),
        (None, "Hm."),
    ]
    segments = [{"speaker": speaker, "text": text} for speaker, text in spoken]
    talk.shown.with_suffix(".json").write_text(json.dumps({"segments": segments}))
    screen = Console(file=io.StringIO(), width=200)

    report.print_short_text(screen, [talk])

    assert isinstance(screen.file, io.StringIO)
    assert screen.file.getvalue().splitlines() == [
        "  SPEAKER_00: Good day. All\\x1b[2J well?",
        "  SPEAKER_01: Yes.",
        "  ?: Hm.",
    ]


def test_hours_are_shown_as_hours(tmp_path: Path) -> None:
    assert "1:02:03" in table(recording("long", tmp_path, recording={"duration_s": 3723.2}))


def test_a_file_that_is_neither_has_a_line_and_the_formats_follow_once() -> None:
    lost = [
        Outcome(MediaFile(Path(name), name, None), "UNSUPPORTED", reason=f"{name}: plain text")
        for name in ("a.txt", "b.txt")
    ]

    shown = table(*lost).splitlines()

    assert shown[:2] == ["UNSUPPORTED a.txt: plain text", "UNSUPPORTED b.txt: plain text"]
    assert shown[2] == UnsupportedMedia.hint
    assert shown[3] == "Of 2 files: 2 UNSUPPORTED"


def test_each_product_has_a_bar_and_that_of_recordings_counts_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = [MediaFile(Path(f"{name}.wav"), name, RECORDING) for name in ("a", "b")]
    files += [MediaFile(Path("cat.jpg"), "cat", kind) for kind in (PHOTO, FACES)]
    screen = Console(file=io.StringIO(), width=120, force_terminal=True)
    shown: list[str] = []
    made: list[Progress] = []

    def progress(*columns: ProgressColumn, **options: Any) -> Progress:
        made.append(Progress(*columns, **options))
        return made[-1]

    monkeypatch.setattr(report, "Progress", progress)
    with report.progress(screen, files) as advance:
        for told in (
            TranscriptProgress("key-a", 0, 600),
            TranscriptProgress("key-a", 300, 600),
            TranscriptProgress("key-b", 0, 60),
            outcome("cat"),
            Outcome(files[-1], "DONE"),
        ):
            advance(told)
            shown.append(" | ".join(str(bar.fields["told"]) for bar in made[0].tasks))

    assert shown == [
        "0/1 | 0/1 | 0.0/10.0+ min, 0/2 files",
        "0/1 | 0/1 | 5.0/10.0+ min, 0/2 files",
        "0/1 | 0/1 | 5.0/11.0 min, 0/2 files",
        "1/1 | 0/1 | 5.0/11.0 min, 0/2 files",
        "1/1 | 1/1 | 5.0/11.0 min, 0/2 files",
    ]


def test_skipped_files_have_a_line_for_each_reason() -> None:
    many = [Skipped(Path(f"{number}.json"), "written by Matteline") for number in range(1_012)]

    said = lines(*many, Skipped(Path("pipe"), "a named pipe"))

    assert said[0].startswith("SKIPPED 1,012 (written by Matteline): 0.json, 1.json, ")
    assert said[0].endswith(", 7.json and 1,004 more")
    assert said[1] == "SKIPPED 1 (a named pipe): pipe"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"), ("\udcff", "\\udcff"), ("café [1]", "café [1]")],
)
def test_a_name_cannot_write_to_the_terminal(name: str, shown: str) -> None:
    assert lines(Skipped(Path(name), "hidden")) == [f"SKIPPED 1 (hidden): {shown}"]
    assert shown in table(outcome(name))
    assert name == shown or name not in table(outcome(name))
