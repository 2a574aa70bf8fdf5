"""The real handlers of faces one after another, in this process: a photo in, its end out."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from containers.face_analyzer.handler import handler as analyze_faces
from containers.face_embedder.handler import handler as embed_faces
from containers.media_inspector.handler import handler as inspect
from pipeline.artifacts import ArtifactStore
from pipeline.errors import PipelineError
from tests.embedding_models import stock_embedder
from tests.face_models import stock_faces
from tests.hostile.desk import Desk, End
from tests.models import Shelf, stock

FACES: Final = "faces"
DETECTOR, EMBEDDER = "squares", "vectors"
EVERYTHING: Final = {
    "attributes": ["age_gender", "expressions"],
    "preview": True,
    "redact": "blur",
    "small_faces": True,
    "embed": True,
}


def stock_people(folder: Path) -> Shelf:
    """Build a detector and an embedder beside the tests' other models."""
    shelf = stock(folder)
    rows = [stock_faces(folder, DETECTOR), stock_embedder(folder, EMBEDDER)]
    shelf.catalogue.write_text("\n".join([shelf.catalogue.read_text(), *rows]))
    return shelf


class FaceDesk(Desk):
    """Inspector, analyzer and embedder on one store, with models that find red squares."""

    models: ClassVar[tuple[str, ...]] = (DETECTOR, EMBEDDER)

    def __init__(
        self, store: ArtifactStore, shelf: Shelf, scratch: Path, *, memory_mb: int = 10_240
    ) -> None:
        super().__init__(store, shelf, scratch, memory_mb=memory_mb)

    def run(self, execution_input: object) -> End:
        """The end of one photo. Whatever has no name in `pipeline.errors` is raised."""
        try:
            inspected = self._call(
                inspect,
                {"input": execution_input, "product": "faces", "lease_s": 60,
                 "hands_over_requests": True,
                 "default_models": {"detector": DETECTOR, "embedder": EMBEDDER}},
            )  # fmt: skip
            job, plan = inspected["job"], inspected["plan"]
            common = {
                **{name: job[name] for name in (
                    "job_id", "source", "work_prefix", "output_stem", "follows_latest",
                )},
                "work_bucket": "work",
                "models_bucket": "models",
            }  # fmt: skip
            model = {name: plan["detector"][name] for name in ("model", "weights_key")}
            found = self._call(analyze_faces, {**common, **model, "options": job["options"]})
            if plan["embedder"]:
                model = {name: plan["embedder"][name] for name in ("model", "weights_key")}
                self._call(embed_faces, {**common, **model, "faces": found["faces"]})
        except PipelineError as error:
            return End(type(error).__name__, error.message, {})
        return End(FACES, "", {})
