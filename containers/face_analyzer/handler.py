"""AnalyzeFaces: find the faces of a photo, and describe and draw them as asked."""

from containers.face_analyzer.analyzing import analyze_faces
from pipeline.contracts.faces import AnalyzeFaces, FacesAnalyzed
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(AnalyzeFaces)
def handler(job: AnalyzeFaces, context: TaskContext) -> FacesAnalyzed:
    """Write the faces to the work bucket, and the pictures that are asked for."""
    return analyze_faces(job, context)
