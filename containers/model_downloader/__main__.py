"""`python -m containers.model_downloader FILE BLACK WHITE [SIZE]`: describe an ONNX file, as JSON.

BLACK and WHITE are what preprocessing makes of those colours.
"""

from __future__ import annotations

import sys
from pathlib import Path

from containers.model_downloader.description import describe
from pipeline.errors import PipelineError


def main(path: str, black: str, white: str, size: str = "") -> None:
    """Print the description; a named error is one line on stderr and exit code 1."""
    side = int(size) if size else None
    try:
        found = describe(Path(path), black=float(black), white=float(white), input_size=side)
    except PipelineError as error:
        sys.exit(error.message)
    sys.stdout.write(found.model_dump_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
