"""Diarize: read a part's windows one by one, find who speaks when, and write it."""

from __future__ import annotations

from dataclasses import dataclass

from containers.diarizer.listening import Listener, limits_of
from containers.diarizer.network import Network, open_network, processor, runtime
from containers.diarizer.parts import (
    part_of_plan,
    place_of,
    provenance,
    signal_of,
    store_part,
    stored,
)
from containers.diarizer.spec import CONTAINER, Numbers, SpeakersSpec
from pipeline.contracts.speakers import Diarize, Diarized, PartSpeakers
from pipeline.declared.models import ModelRow
from pipeline.model_context import catalogue_of, staged_record, weights_of
from pipeline.weights.local_weights import combined_sha256
from pipeline.workbench import TaskContext


@dataclass(frozen=True)
class Loaded:
    """The two networks of a row; `sha256` is one checksum of both files."""

    segmentation: Network
    embedding: Network
    sha256: str

    def segment(self, sound: Numbers) -> Numbers:
        return self.segmentation.run(sound)

    def embed(self, features: Numbers) -> Numbers:
        return self.embedding.run(features)


def diarize(job: Diarize, context: TaskContext) -> Diarized:
    """Write who speaks when in the part, unless an earlier attempt of the execution did.

    Raises UnknownModel, WeightsNotStaged, WeightsMismatch or OutOfMemory.
    """
    place = place_of(job)
    there = stored(job, context.store)
    if there is not None:
        return Diarized(part=job.part, metrics=there.metrics)
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    spec = row.spec(SpeakersSpec)
    with context.timed("model_load"):
        networks = _load(row, job, context)
    part = part_of_plan(job, context.store)
    listener = Listener(networks, spec, hop_s=job.hop_s)
    with context.timed("listen"):
        for window in part.windows:
            listener.hear(signal_of(window, context.store), window.start)
    limits = limits_of(job.speakers, job.least_speakers, job.most_speakers, alone=part.alone)
    with context.timed("tell_apart"):
        found = listener.find(limits)
    metrics = listener.figures | {
        "speakers": float(len(found.speakers)),
        "gpu": processor().figure,
    }
    written = PartSpeakers(
        index=job.part,
        turns=found.turns,
        speakers=found.speakers,
        link_below=spec.link_below,
        remarks=found.remarks,
        model=row.name,
        weights_sha256=networks.sha256,
        metrics=metrics,
        provenance=provenance(context.settings),
    )
    store_part(written, place, context.store)
    return Diarized(part=job.part, metrics=metrics)


def _load(row: ModelRow, job: Diarize, context: TaskContext) -> Loaded:
    files = weights_of(context.bench).files(staged_record(job), row, runtime())
    context.note(network="; ".join(file.remark for file in files), processor=processor().remark)
    segmentation, embedding = (
        open_network(
            file.path,
            optimised=file.optimised,
            memory=file.memory,
            threads=context.settings.threads,
        )
        for file in files
    )
    return Loaded(segmentation, embedding, combined_sha256(file.sha256 for file in files))
