"""`python -m containers.model_downloader.optimisation ORDER`: print a `Lean` for an `Order`.

This runs in a separate process with a memory limit, because it needs more memory than the rest of
the container: if it exceeds the limit, it dies and its caller goes on. It exits when its standard
input closes, so it never outlives its caller.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from typing import Final

from containers.model_downloader.optimisation.lean import make_lean
from containers.model_downloader.optimisation.order import Order

ABANDONED: Final = 75


def main() -> None:
    threading.Thread(target=_end_with_caller, daemon=True).start()
    order = Order.model_validate_json(sys.argv[1])
    limit = order.memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    sys.stdout.write(make_lean(order).model_dump_json())


def _end_with_caller() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(ABANDONED)


if __name__ == "__main__":
    main()
