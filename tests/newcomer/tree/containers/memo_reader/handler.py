"""ReadMemo: the words of a memo that the planned word list knows."""

from containers.memo_reader.words import known_words, list_of, store_list
from pipeline.contracts.memo import MemoRead, ReadMemo
from pipeline.model_context import catalogue_of, weights_of
from pipeline.task import task
from pipeline.workbench import TaskContext, read_source


@task(ReadMemo)
def handler(job: ReadMemo, context: TaskContext) -> MemoRead:
    """Return where the known words are. Raises CorruptMedia for bytes that are no text."""
    row = catalogue_of(context.bench).row(job.model)
    words = list_of(row, job, weights_of(context.bench))
    found = known_words(read_source(context.store, job.source), words)
    return store_list(found, job, context.store)
