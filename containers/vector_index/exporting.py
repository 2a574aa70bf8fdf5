"""ExportPerson."""

from pipeline.contracts.collection import Exported, ExportPerson
from pipeline.workbench import TaskContext


def export_person(job: ExportPerson, context: TaskContext) -> Exported:
    raise NotImplementedError
