"""`python -m containers.vector_index.selftest`: a face is enrolled, found, forgotten and erased."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from containers.vector_index.handler import handler
from pipeline.contracts.collection import (
    CollectionCreated,
    CollectionDeleted,
    Compacted,
    Forgotten,
    Searched,
    VectorsEnrolled,
)
from pipeline.contracts.contract import Result
from pipeline.selftest import Trial, selftest
