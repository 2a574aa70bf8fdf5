"""Word lists, and the words of a text that they know."""

from __future__ import annotations

import re

from pydantic import BaseModel

from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.memo import MemoRead, ReadMemo
from pipeline.declared.models import ModelRow
from pipeline.errors import CorruptMedia, WeightsNotStaged
from pipeline.weights.local_weights import LocalWeights


class WordList(BaseModel):
    """The table of a row: words shorter than `least_letters` are not known."""

    least_letters: int


def list_of(row: ModelRow, job: ReadMemo, weights: LocalWeights) -> frozenset[str]:
    """Return the row's words. Raises WeightsNotStaged or WeightsMismatch."""
    if job.weights_key is None:
        raise WeightsNotStaged(f"the job names no staged weights of {row.name}")
    (file,) = weights.files(Location(job.models_bucket, job.weights_key), row)
    least = row.spec(WordList).least_letters
    return frozenset(word for word in file.path.read_text().split() if len(word) >= least)


def known_words(content: bytes, words: frozenset[str]) -> list[str]:
    """Return the known words of a text, in order. Raises CorruptMedia if it is not UTF-8."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise CorruptMedia(f"the memo is not UTF-8: {error.reason}") from error
    return [word for word in re.findall(r"\w+", text.lower()) if word in words]


def store_list(found: list[str], job: ReadMemo, store: ArtifactStore) -> MemoRead:
    """Write one word a line to the work bucket."""
    key = f"{job.work_prefix}/memo.txt"
    content = "\n".join(found).encode()
    artifact = store.write(Location(job.work_bucket, key), content, media_type="text/plain")
    return MemoRead(
        list=artifact,
        work_key=key,
        output_key=f"{job.output_stem}_memo.txt",
        model=job.model,
        metrics={"known_words": float(len(found))},
    )
