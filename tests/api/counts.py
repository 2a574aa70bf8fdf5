"""What the tier counted, to be printed at its end."""

from __future__ import annotations

from typing import Final

COUNTS: Final[list[str]] = []
