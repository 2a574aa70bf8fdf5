"""Store masks in the work bucket."""

from __future__ import annotations

from containers.background_remover.masks import CandidateMask, Prediction
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts.cutout import Candidate, PromptedSubject, RemoveBackground
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Pixels


def store_masks(
    prediction: Prediction, job: RemoveBackground, store: ArtifactStore
) -> tuple[Artifact, tuple[PromptedSubject, ...]]:
    """Write `mask.png`, and `mask-<subject>-<candidate>.png` for every candidate."""

    def write(mask: Pixels, name: str) -> Artifact:
        place = Location(job.work_bucket, f"{job.work_prefix}/{name}.png")
        return store.write(place, encode(mask, picture_format="png"), media_type="image/png")

    def write_candidate(candidate: CandidateMask, name: str) -> Candidate:
        artifact = write(candidate.mask, name)
        return Candidate(mask=artifact, score=round(candidate.score, 5), chosen=candidate.chosen)

    subjects = tuple(
        PromptedSubject(
            candidates=tuple(
                write_candidate(candidate, f"mask-{number}-{index}")
                for index, candidate in enumerate(candidates, 1)
            )
        )
        for number, candidates in enumerate(prediction.subjects, 1)
    )
    return write(prediction.mask, "mask"), subjects
