"""`python -m containers.model_downloader QUESTION`: describe an ONNX file.

A `NetworkQuestion` in, a `NetworkDescription` out, both as JSON.
"""

from __future__ import annotations

import sys

from containers.model_downloader.description import describe
from pipeline.contracts.weights import NetworkQuestion
from pipeline.errors import PipelineError


def main(question: str) -> None:
    """Print the description; a named error is one line on stderr and exit code 1."""
    try:
        found = describe(NetworkQuestion.model_validate_json(question))
    except PipelineError as error:
        sys.exit(error.message)
    sys.stdout.write(found.model_dump_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
