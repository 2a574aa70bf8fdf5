"""`python -m containers.model_downloader QUESTION`: describe an ONNX file, or stage a model.

The question is a `NetworkQuestion` and the output a `NetworkDescription`, or a `StageWeights` and a
`WeightsStaged`, all as JSON. Staging has the settings and the permissions of its environment.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from containers.model_downloader.description import describe
from containers.model_downloader.staging import Staging
from pipeline.artifacts import AccessDenied
from pipeline.contracts.weights import (
    NetworkDescription,
    NetworkQuestion,
    StageWeights,
    WeightsStaged,
)
from pipeline.declared.containers import load_container
from pipeline.errors import PipelineError
from pipeline.task import workbench_of
from pipeline.workbench import TaskContext

_FOLDER: Final = Path(__file__).parent
_QUESTIONS: Final[TypeAdapter[NetworkQuestion | StageWeights]] = TypeAdapter(
    NetworkQuestion | StageWeights
)


def main(question: str) -> None:
    """Print the answer. An error prints one line to stderr, name and message, and exits with 1."""
    try:
        answer = _answer(_QUESTIONS.validate_json(question))
    except PipelineError as error:
        sys.exit(f"{type(error).__name__}: {error.message}")
    except AccessDenied as error:
        sys.exit(f"AccessDenied: {error}")
    sys.stdout.write(answer.model_dump_json(by_alias=True))


def _answer(question: NetworkQuestion | StageWeights) -> NetworkDescription | WeightsStaged:
    if isinstance(question, NetworkQuestion):
        return describe(question)
    ends_at = time.monotonic() + load_container(_FOLDER).timeout_s
    context = TaskContext(workbench_of(_FOLDER.parents[1]), ends_at=ends_at)
    return Staging.of(question, context).run(force=question.force)


if __name__ == "__main__":
    main(*sys.argv[1:])
