"""`python -m containers.model_downloader QUESTION`: describe an ONNX file.

The question is a `NetworkQuestion` and the output a `NetworkDescription`, both as JSON.
"""

from __future__ import annotations

import sys

from containers.model_downloader.description import describe
from pipeline.contracts.weights import NetworkQuestion
from pipeline.errors import PipelineError


def main(question: str) -> None:
    """Print the description. A named error prints one line to stderr and exits with 1."""
    try:
        found = describe(NetworkQuestion.model_validate_json(question))
    except PipelineError as error:
        sys.exit(error.message)
    sys.stdout.write(found.model_dump_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
