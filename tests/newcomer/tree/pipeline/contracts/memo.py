"""The jobs and results of the memo product: a text becomes the list of words it knows."""

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import (
    Contract,
    Inspected,
    MediaJob,
    Options,
    PlannedModel,
    PublishedJob,
    Result,
)


class MemoOptions(Options):
    """What a user may ask of a memo: the word list to read it with."""

    model: str


class MemoJob(MediaJob):
    options: MemoOptions


class MemoPlan(Contract):
    """`words` is the word list."""

    words: PlannedModel


class MemoInspected(Inspected):
    job: MemoJob
    plan: MemoPlan


class ReadMemo(PublishedJob):
    job_id: str
    execution: str
    model: str
    models_bucket: str
    weights_key: str | None
    work_bucket: str
    work_prefix: str
    output_stem: str


class MemoRead(Result):
    """`list` has the known words, one a line; it is published under `output_key`."""

    list: Artifact
    work_key: str
    output_key: str
    model: str
