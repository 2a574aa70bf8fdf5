"""EncodePhoto and SelectSubject: prepare a photo once, then answer each click on it alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from PIL import Image

from containers.background_remover.choosing import ANSWERS_OF_ALL, choose
from containers.background_remover.embeddings import Features, recall
from containers.background_remover.engines import (
    cache_of,
    figures_of,
    open_staged,
    read_whole,
    staged_files,
)
from containers.background_remover.network import Network, Tensor, open_network
from containers.background_remover.removing import CONTAINER
from containers.background_remover.sam import decode, embed
from containers.background_remover.sam_contracts import contract_of
from containers.background_remover.small_masks import Grid, from_png, to_png
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts.selection import (
    EncodePhoto,
    PhotoEncoded,
    SelectedMask,
    SelectSubject,
    SubjectSelected,
)
from pipeline.declared.models import ModelRow
from pipeline.errors import SourceMissing
from pipeline.model_context import catalogue_of, weights_of
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Pixels
from pipeline.weights.local_weights import combined_sha256
from pipeline.workbench import TaskContext, Workbench, read_source

_PREVIEW_SIDE: Final = 2048
_MOST_CANDIDATES: Final = 3
_WARM_EMBEDDINGS: Final = 4  # of 4 or 17 MB each: those of the photos that were clicked last


def encode_photo(job: EncodePhoto, context: TaskContext) -> PhotoEncoded:
    """Store the photo's embedding and its preview.

    Raises WeightsNotStaged if the model was staged before its decoder was cut.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    contract = contract_of(row)
    with context.timed("model_load"):
        files = staged_files(row, job, context)
        _open_decoder(row, Location(job.models_bucket, str(job.weights_key)), context)
    encoder, *_ = files
    with context.timed("decode"):
        content = read_source(context.store, job.source)
        picture = read_whole(content, reserve=context.reserve)
    cache = cache_of(contract, encoder, job, context)
    open_encoder = functools.partial(open_staged, encoder, context)
    _, cached = embed(open_encoder, picture, contract, cache=cache, timed=context.timed)
    with context.timed("preview"):
        at = Location(job.work_bucket, f"selections/{job.selection}/preview.jpg")
        preview = _write_preview(picture, at, context.store)
    placement = contract.place((job.source.height, job.source.width))
    return PhotoEncoded(
        model=row.name,
        weights_sha256=combined_sha256(file.sha256 for file in files),
        embedding=cache.place.uri,
        preview=preview,
        mask=Grid(placement, _side_of(row)).described,
        metrics={"embedding_cached": float(cached)} | figures_of(encoder),
    )


def select_subject(job: SelectSubject, context: TaskContext) -> SubjectSelected:
    """Return the decoder's candidates for one subject. Raises SourceMissing for no embedding."""
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    contract = contract_of(row)
    placement = contract.place((job.height, job.width))
    grid = Grid(placement, _side_of(row))
    with context.timed("model_load"):
        decoder = _open_decoder(row, Location(job.models_bucket, job.weights_key), context)
    with context.timed("recall"):
        at = Location.parse(job.embedding)
        features = context.bench.once(_recent)(at, contract.features)
    hint = grid.lay(from_png(job.previous, grid.described)) if job.previous else None
    with context.timed("infer"):
        answer = decode(decoder, contract, features, job.prompt, placement, hint=hint)
    best = choose(answer)
    with context.timed("encode"):
        candidates = tuple(
            SelectedMask(
                score=round(float(answer.scores[index]), 5),
                chosen=index == best,
                png=to_png(grid.lift(answer.logits[index])),
            )
            for index in offered(answer.scores, best)
        )
    return SubjectSelected(model=row.name, candidates=candidates)


def offered(scores: Tensor, best: int) -> Sequence[int]:
    """Return which candidates to show: the chosen one, and the best of the others, in order.

    The first of four is for prompts of several marks: it is shown only if it is chosen.
    """
    barred = {best, *([0] if len(scores) == ANSWERS_OF_ALL else [])}
    others = [index for index in np.argsort(-scores, kind="stable").tolist() if index not in barred]
    return sorted([best, *others[: _MOST_CANDIDATES - 1]])


def _open_decoder(row: ModelRow, manifest: Location, context: TaskContext) -> Network:
    path = weights_of(context.bench).cut(manifest, row)
    return open_network(path, threads=context.settings.threads)


def _side_of(row: ModelRow) -> int:
    """Return the side of the maps at which the row's decoder is cut."""
    (cut,) = (file.cut for file in row.engine.files if file.cut)
    *_, side = cut.sizes(row.table)
    return int(side)


def _recent(bench: Workbench) -> Callable[[Location, tuple[str, ...]], Features]:
    """Return a reader of embeddings that holds the latest ones. Their content never changes."""

    @functools.lru_cache(maxsize=_WARM_EMBEDDINGS)
    def read(at: Location, names: tuple[str, ...]) -> Features:
        features = recall(bench.store, at, names)
        if features is None:
            raise SourceMissing(f"there is no embedding {at.uri} any more")
        return features

    return read


def _write_preview(picture: Pixels, at: Location, store: ArtifactStore) -> Artifact:
    image = Image.fromarray(picture)
    image.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    content = encode(np.asarray(image), picture_format="jpeg")
    return store.write(at, content, media_type="image/jpeg")
