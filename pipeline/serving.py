"""Start the container of an image, under Lambda's runtime client or as a job of AWS Batch.

AWS Batch gives an image's entry point the two addresses of a job; Lambda gives it nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import awslambdaric.__main__ as runtime_client

from pipeline.declared.containers import load_containers


def main() -> None:
    """Serve the handler that the container manifest names, or run it once for a job."""
    if sys.argv[1:]:
        # A function never needs this module, and each import delays its start.
        from pipeline import batch_job

        batch_job.main()
        return
    (container,) = load_containers(Path(__file__).parents[1])
    runtime_client.main([sys.argv[0], container.handler])


if __name__ == "__main__":
    main()
