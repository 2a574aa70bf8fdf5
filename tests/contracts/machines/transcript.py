"""Slips in the transcript machine, most of them in work that is inside a Map or a Parallel."""

from __future__ import annotations

from typing import Final

from tests.contracts import (
    batch_rules,
    catch_rules,
    data_rules,
    hand_over_rules,
    record_rules,
    retry_rules,
    shape_rules,
    task_rules,
)
from tests.contracts.mutations import add, drop, put, remove
from tests.contracts.slips import Slip

_ANALYSIS: Final = "States/AnalyseAudio"
_WINDOWS: Final = f"{_ANALYSIS}/Branches/0/States/TranscribeWindows"
_TRANSCRIBE: Final = f"{_WINDOWS}/ItemProcessor/States/Transcribe"
_PARTS: Final = f"{_ANALYSIS}/Branches/1/States/DiarizeParts"
_DIARIZE: Final = f"{_PARTS}/ItemProcessor/States/Diarize"
_TAGGING: Final = f"{_ANALYSIS}/Branches/2/States"
_ALIGN: Final = "States/AlignWindows/ItemProcessor/States/AlignWords"

_NESTED: Final = (
    Slip(
        catch_rules.permanent_errors_are_caught,
        remove(f"{_ANALYSIS}/Catch/0/ErrorEquals", "UnsupportedLanguage"),
        "Transcribe: UnsupportedLanguage is not caught",
    ),
    Slip(
        catch_rules.capacity_errors_are_caught,
        remove("States/AlignWindows/Catch/2/ErrorEquals", "Sandbox.Timedout"),
        "AlignWords: Sandbox.Timedout is not caught",
    ),
    Slip(
        catch_rules.permanent_errors_are_quarantined,
        put(f"{_ANALYSIS}/Catch/0/Next", "RecordFailure"),
        "AnalyseAudio: a permanent error gets to Failed past Quarantine",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put("States/AlignWindows/Catch/2/Next", "WriteTranscript"),
        "AlignWindows: what it catches at WriteTranscript can end in Done, no Fail state",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add(f"{_ANALYSIS}/Catch/2/ErrorEquals", "StoreUnavailable"),
        "AnalyseAudio: catches StoreUnavailable",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        drop(f"{_TRANSCRIBE}/Retry/0"),
        "Transcribe: Lambda.TooManyRequestsException is not retried",
    ),
    Slip(
        retry_rules.error_names_exist,
        add(f"{_ANALYSIS}/Catch/0/ErrorEquals", "NoSubject"),
        "AnalyseAudio: no task of transcript raises NoSubject",
    ),
    Slip(
        shape_rules.targets_exist,
        put(f"{_TRANSCRIBE}/Next", "WriteTranscript"),
        "Transcribe: leads to 'WriteTranscript', which does not exist",
    ),
)
_JOBS: Final = (
    Slip(
        batch_rules.jobs_run_the_planned_model,
        put(f"{_WINDOWS}/ItemSelector/lane.$", "$.job.model"),
        "TranscribeOnBatch: 'lane' is not the job's",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_DIARIZE}OnBatch/Catch", [{"ErrorEquals": ["NoAudio"], "Next": "Diarize"}]),
        "DiarizeOnBatch: errors are not caught as those of Diarize",
    ),
    Slip(
        batch_rules.the_plan_says_where_models_run,
        put(f"{_PARTS}/ItemProcessor/StartAt", "Diarize"),
        "Diarize: a way leads here past DiarizeOnBatch?",
    ),
    Slip(
        batch_rules.roles_have_batch_where_their_tasks_have,
        put("States/UseDiarizersJobs/ResultPath", "$.plan.speech"),
        "role speakers: its function may be too small, and no way leads to its job",
    ),
    Slip(
        batch_rules.roles_have_batch_where_their_tasks_have,
        put("States/AlignWindows/ItemSelector/planned.$", "$.plan.speech"),
        "role align: batch in the declaration or in transcript, and not in both",
    ),
)
_BRANCHES: Final = (
    Slip(
        catch_rules.a_fallback_is_for_the_function_that_was_too_small,
        drop(f"{_TAGGING}/TagAudio/Catch"),
        "AnalyseAudio: a fallback model for audio-tagger, transcriber",
    ),
    Slip(
        catch_rules.a_fallback_is_for_the_function_that_was_too_small,
        remove(f"{_PARTS}/Catch/0/ErrorEquals", "States.Timeout"),
        "AnalyseAudio: a fallback model for diarizer, transcriber",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        drop("States/TooSmall?/Choices/0"),
        "DiarizeParts: what it catches at DiarizerTooSmall can end in DiarizerTooSmall, no Fail"
        " state",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put("States/TooSmall?/Choices/1/Next", "AlignmentAsked?"),
        "TagAudio: what it catches at AlignmentAsked? can end in Done, no Fail state",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put(f"{_ANALYSIS}/ResultSelector/tagging.$", "$[1]"),
        "TagAudio: what it catches at TaggerTooSmall can end in TaggerTooSmall, no Fail state",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put(f"{_TAGGING}/TaggerTooSmall/Parameters", {"error": None}),
        "TagAudio: what it catches at TaggerTooSmall can end in TaggerTooSmall, no Fail state",
    ),
    Slip(
        catch_rules.redrivable_errors_stay_uncaught,
        add(f"{_PARTS}/Catch/0/ErrorEquals", "StoreUnavailable"),
        "DiarizeParts: catches StoreUnavailable",
    ),
    Slip(
        data_rules.payloads_have_the_right_type,
        put("States/WriteTranscript/Parameters/Payload/tags.$", "$.audio.sound"),
        "WriteTranscript: 'tags' is given a pipeline.artifacts.Artifact | None",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop(f"{_DIARIZE}/Parameters/Payload/hop_s.$"),
        "Diarize: the payload lacks 'hop_s'",
    ),
)
_DATA: Final = (
    Slip(
        data_rules.paths_lead_somewhere,
        drop(f"{_WINDOWS}/ItemSelector/work_prefix.$"),
        "Transcribe: reads $.work_prefix, which nothing writes",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        put(f"{_WINDOWS}/MaxConcurrencyPath", "$.job.options.at_once"),
        "TranscribeWindows: reads $.job.options.at_once, which nothing writes",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        put(f"{_WINDOWS}/ItemSelector/planned.$", "$.plan.language"),
        "TranscribeWindows: reads $.plan.language, which nothing writes",
    ),
    Slip(
        data_rules.payloads_have_the_right_type,
        put(f"{_TRANSCRIBE}/Parameters/Payload/plan.$", "$.translate"),
        "Transcribe: 'plan' is given a <class 'bool'>",
    ),
    Slip(
        data_rules.payloads_have_the_right_type,
        put("States/DenoiseAsked?/Choices/0/Variable", "$.plan.denoise"),
        "Denoise: 'recorded' is given a pipeline.artifacts.Artifact | None",
    ),
    Slip(
        task_rules.functions_exist,
        put(
            f"{_TRANSCRIBE}/Parameters/FunctionName.$",
            "States.Format('${AudioReaderArn}:live', $.planned.model)",
        ),
        "Transcribe: \"States.Format('${AudioReaderArn}:live', $.planned.model)\" does not fit"
        " function_per_model of audio-reader",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop(f"{_ALIGN}/Parameters/Payload/speech_model.$"),
        "AlignWords: the payload lacks 'speech_model'",
    ),
    Slip(
        task_rules.functions_time_out_first,
        put(f"{_TRANSCRIBE}/TimeoutSeconds", 900),
        "Transcribe: TimeoutSeconds below 915, its function's and 15 more",
    ),
)

SLIPS: Final = (
    *_NESTED,
    *_JOBS,
    *_BRANCHES,
    *_DATA,
    Slip(
        hand_over_rules.what_is_handed_over_is_the_same,
        put("States/NameOtherMachine/Parameters/machine", "transcript"),
        "NameOtherMachine: names no machine of another product",
    ),
    Slip(
        record_rules.sources_are_the_latest_when_published,
        drop("States/WriteTranscript/Parameters/Payload/follows_latest.$"),
        "WriteTranscript: is the last task, and is not told whether to follow the latest version",
    ),
)
