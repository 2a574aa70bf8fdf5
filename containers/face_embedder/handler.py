"""EmbedFaces: make a vector of each face in a photo."""

from containers.face_embedder.embedding import embed_faces
from pipeline.contracts.faces import EmbedFaces, FacesEmbedded
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(EmbedFaces)
def handler(job: EmbedFaces, context: TaskContext) -> FacesEmbedded:
    """Return how many faces have a vector: the vectors are in the work bucket."""
    return embed_faces(job, context)
