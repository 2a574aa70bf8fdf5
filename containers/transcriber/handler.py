"""Write down what is said in one window of a recording, or time its words again."""

from collections.abc import Callable, Mapping
from typing import Any

from containers.transcriber.aligning import align_words
from containers.transcriber.transcribing import transcribe
from pipeline.contracts.contract import Job
from pipeline.contracts.transcript import AlignWords, Transcribe, Transcribed, WordsAligned
from pipeline.task import task
from pipeline.workbench import TaskContext

TASKS: Mapping[type[Job], Callable[[Any, TaskContext], Any]] = {
    Transcribe: transcribe,
    AlignWords: align_words,
}


@task(Transcribe, AlignWords)
def handler(job: Transcribe | AlignWords, context: TaskContext) -> Transcribed | WordsAligned:
    """Return the window's index: its transcript is in the work bucket."""
    result: Transcribed | WordsAligned = TASKS[type(job)](job, context)
    return result
