"""Read every row of a table of DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]


def every_row(dynamodb: Any, table: str, **scan: Any) -> Iterator[Item]:  # noqa: ANN401
    """Yield the rows as DynamoDB returns them, in no order; `scan` is added to the request."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **scan)
    for page in pages:
        yield from page["Items"]
