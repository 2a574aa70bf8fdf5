"""Start the container of an image, under Lambda's runtime client."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import awslambdaric.__main__ as runtime_client
from snapshot_restore_py import register_after_restore

from pipeline.declared.containers import load_containers


def main() -> None:
    """Serve the handler that the container manifest names.

    Copies of a snapshot would draw the same pseudo-random numbers, such as pauses between retries:
    each seeds its own when it is restored.
    """
    register_after_restore(random.seed)
    (container,) = load_containers(Path(__file__).parents[1])
    runtime_client.main([sys.argv[0], container.handler])


if __name__ == "__main__":
    main()
