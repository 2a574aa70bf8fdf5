"""The real handlers one after another, in this process: a photo in, its end out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np

from containers.background_remover.handler import handler as remove_background
from containers.edge_refiner.handler import handler as refine_edges
from containers.media_inspector.handler import handler as inspect
from pipeline import task
from pipeline.artifacts import ArtifactStore, Location
from pipeline.errors import PipelineError
from pipeline.model_context import catalogue_of
from pipeline.photo.pixels import decode
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Settings, Workbench
from tests.conftest import ROOT
from tests.hostile.case import CUTOUT
from tests.models import Shelf
from tests.pictures import Pixels
from tests.pipeline.containers.greeter.calls import LAMBDA

_CONTEXT: Final = {"schema": 1, "execution": "arn:aws:states:::execution:cutout:hostile"}


class End(NamedTuple):
    """`name` is "cut-out" or an error's; `pictures` has the pixels of each kind."""

    name: str
    message: str
    pictures: dict[str, Pixels]


class Desk:
    """Inspector, remover and refiner on one store, with `models` whose answers are known."""

    models: ClassVar[tuple[str, ...]] = ("brightness", "pointer")

    def __init__(
        self, store: ArtifactStore, shelf: Shelf, scratch: Path, *, memory_mb: int = 10_240
    ) -> None:
        settings = Settings(
            catalogue_overlays=(shelf.catalogue,), scratch=scratch, memory_mb=memory_mb, threads=1
        )
        self.store = store
        self._bench = Workbench(root=ROOT, settings=settings, store=store)
        self._stage(shelf)

    def run(self, execution_input: object) -> End:
        """The end of one photo. Whatever has no name in `pipeline.errors` is raised."""
        try:
            inspected = self._call(
                inspect,
                {"input": execution_input, "product": "cutout", "lease_s": 60,
                 "default_models": {"mask": "brightness"}},
            )  # fmt: skip
            job, mask = inspected["job"], inspected["plan"]["mask"]
            places = {"work_bucket": "work", "work_prefix": job["work_prefix"]}
            common = {"job_id": job["job_id"], "source": job["source"], **places}
            removed = self._call(
                remove_background,
                {**common, "model": mask["model"], "weights_key": mask["weights_key"],
                 "models_bucket": "models", "prompts": job["options"]["prompts"]},
            )  # fmt: skip
            refined = self._call(
                refine_edges,
                {**common, "options": job["options"], "mask": removed["mask"],
                 "mask_output": mask["output"], "output_stem": job["output_stem"]},
            )  # fmt: skip
        except PipelineError as error:
            return End(type(error).__name__, error.message, {})
        return End(CUTOUT, "", {row["kind"]: self._read(row) for row in refined["pictures"]})

    def _call(self, handler: Callable[..., Any], event: dict[str, Any]) -> dict[str, Any]:
        """As Lambda does it: JSON in, JSON out."""
        arrived = json.loads(json.dumps(_CONTEXT | event))
        answer: dict[str, Any] = json.loads(json.dumps(handler(arrived, LAMBDA)))
        return answer

    def _read(self, picture: dict[str, Any]) -> Pixels:
        content = self.store.read(Location.parse(picture["artifact"]["uri"]))
        photo = decode(content)
        assert photo.rgb.shape[:2] == (picture["height"], picture["width"])
        return photo.rgb if photo.alpha is None else np.dstack([photo.rgb, photo.alpha])

    def _stage(self, shelf: Shelf) -> None:
        for model in self.models:
            row = catalogue_of(self._bench).row(model)
            staged = []
            for file in row.files:
                content = (shelf.folder / file.name).read_bytes()
                place = Location("models", f"{model}/{file.name}")
                artifact = self.store.write(place, content, media_type="")
                digest = f"sha256:{artifact.sha256}"
                staged.append(
                    StagedFile(name=file.name, digest=digest, source="file:", artifact=artifact)
                )
            weights = StagedWeights(model=model, licence="MIT", files=tuple(staged))
            place = Location("models", row.weights_key)
            self.store.write(place, weights.model_dump_json().encode(), media_type="")

    def sit_down(self, patch: Any) -> None:
        """Let every handler of this process work at this desk."""
        patch.setattr(task, "workbench_of", lambda _root: self._bench)
