"""Load a catalogue row's model: one loader for each engine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from containers.background_remover.embeddings import EmbeddingCache
from containers.background_remover.hosted import BedrockSpec, predict_hosted
from containers.background_remover.masks import Prediction
from containers.background_remover.network import Network, open_network, processor, runtime
from containers.background_remover.saliency import SaliencySpec, predict_mask, read_picture
from containers.background_remover.sam import Sam, predict_subjects
from containers.background_remover.sam_contracts import Contract, contract_of
from containers.background_remover.subject import require_visible
from pipeline.aws.bedrock import Bedrock
from pipeline.contracts.cutout import RemoveBackground
from pipeline.contracts.selection import EncodePhoto
from pipeline.declared.models import ModelRow
from pipeline.model_context import staged_record, weights_of
from pipeline.photo.pixels import Pixels, Reserve, decode
from pipeline.weights.local_weights import LocalFile, combined_sha256
from pipeline.workbench import TaskContext, Workbench


@dataclass(frozen=True)
class Model:
    """A model ready for one job: `read` gives H×W×3 of a photo, `predict` its mask.

    A hosted model has no weights.
    """

    read: Callable[[bytes], Pixels]
    predict: Callable[[Pixels], Prediction]
    weights_sha256: str | None


def load_model(row: ModelRow, job: RemoveBackground, context: TaskContext) -> Model:
    """Load the row's model. Raises WeightsNotStaged, WeightsMismatch or OutOfMemory."""
    return LOADERS[row.engine.name](row, job, context)


def _load_saliency(row: ModelRow, job: RemoveBackground, context: TaskContext) -> Model:
    (file,) = staged_files(row, job, context)
    network, spec = open_staged(file, context), row.spec(SaliencySpec)
    figures = figures_of(file)

    def predict(picture: Pixels) -> Prediction:
        mask = predict_mask(network, spec, picture, timed=context.timed)
        return Prediction(mask, figures=figures)

    read = functools.partial(read_picture, spec=spec, reserve=context.reserve)
    return Model(read, predict, file.sha256)


def _load_sam(row: ModelRow, job: RemoveBackground, context: TaskContext) -> Model:
    files = staged_files(row, job, context)
    encoder, decoder, *_ = files
    contract = contract_of(row)
    open_encoder = functools.partial(open_staged, encoder, context)
    sam = Sam(open_encoder, open_staged(decoder, context), contract)
    cache = cache_of(contract, encoder, job, context)

    def predict(picture: Pixels) -> Prediction:
        found = predict_subjects(sam, picture, job.prompts, cache=cache, timed=context.timed)
        return replace(found, figures=found.figures | figures_of(encoder))

    read = functools.partial(read_whole, reserve=context.reserve)
    return Model(read, predict, combined_sha256(file.sha256 for file in files))


def _load_hosted(row: ModelRow, _job: RemoveBackground, context: TaskContext) -> Model:
    spec = row.spec(BedrockSpec)

    def predict(picture: Pixels) -> Prediction:
        bedrock = context.bench.once(connect_bedrock)
        return Prediction(predict_hosted(bedrock, spec, picture, timed=context.timed))

    return Model(functools.partial(read_whole, reserve=context.reserve), predict, None)


def connect_bedrock(_bench: Workbench) -> Bedrock:
    """Connect when a call first needs it."""
    return Bedrock.connect()


def read_whole(content: bytes, *, reserve: Reserve) -> Pixels:
    """Decode a photo at its full size, in sRGB and on white, H×W×3. Raises as `decode` does."""
    return require_visible(decode(content, in_srgb=True, reserve=reserve))


def staged_files(
    row: ModelRow, job: RemoveBackground | EncodePhoto, context: TaskContext
) -> tuple[LocalFile, ...]:
    """Return the best file that runs here, for each file of the row."""
    files = weights_of(context.bench).files(staged_record(job), row, runtime())
    context.note(network=files[0].remark, processor=processor().remark)
    return files


def figures_of(file: LocalFile) -> dict[str, float]:
    """Return whether the CPU's optimised form of a network ran, and whether a GPU did."""
    return {"optimised": float(file.optimised), "gpu": processor().figure}


def cache_of(
    contract: Contract,
    encoder: LocalFile,
    job: RemoveBackground | EncodePhoto,
    context: TaskContext,
) -> EmbeddingCache:
    """Return the cache entry of the job's photo."""
    return EmbeddingCache(
        context.store,
        job.work_bucket,
        encoder_sha256=encoder.loaded_sha256,
        layout=contract.layout,
        names=contract.features,
        photo_sha256=job.source.sha256,
    )


def open_staged(file: LocalFile, context: TaskContext) -> Network:
    """Load a file, once per process."""
    return open_network(
        file.path, optimised=file.optimised, memory=file.memory, threads=context.settings.threads
    )


LOADERS: Final[Mapping[str, Callable[[ModelRow, RemoveBackground, TaskContext], Model]]] = {
    "saliency": _load_saliency,
    "sam": _load_sam,
    "sam2": _load_sam,
    "bedrock": _load_hosted,
}
