"""The backend `segments`: rows in immutable files, which searches hold in memory."""

from __future__ import annotations
