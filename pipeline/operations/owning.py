"""Name what belongs to whom: the prefix of a principal's keys in every bucket."""

from __future__ import annotations

import hashlib
import json
from typing import Final

_DIGEST_LENGTH: Final = 32  # hexadecimal digits: 128 bits


def prefix_of(*identity: str) -> str:
    """Return the prefix, which ends in a slash. `identity` is the kind of authoriser and a name.

    It is a digest: it does not show who the principal is, and nobody can choose another's.
    """
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{digest}/"
