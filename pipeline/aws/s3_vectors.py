"""Store and compare vectors in Amazon S3 Vectors.

Limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection

from pipeline.artifacts import AccessDenied
from pipeline.aws.outages import is_outage
from pipeline.errors import KeyUnusable, StoreUnavailable

MOST_NEIGHBOURS: Final = 100
MOST_CONSTRAINTS: Final = 100  # of one filter
_WRITTEN: Final = 500
_READ: Final = 100
_LISTED: Final = 1_000
_AT_ONCE: Final = 8  # segments of a listing, at most 16
_METADATA_BYTES: Final = 40 * 1024
_FILTERABLE_BYTES: Final = 2 * 1024

_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "RequestTimeTooSkewed"}
_KEY: Final = {
    "KmsDisabledException", "KmsInvalidKeyUsageException", "KmsInvalidStateException",
    "KmsNotFoundException",
}  # fmt: skip
_MISSING: Final = "NotFoundException"
_CONFLICT: Final = "ConflictException"
_DENIED: Final = {"AccessDenied", "AccessDeniedException"}

_T = TypeVar("_T")
Metadata = Mapping[str, str | int | float | bool]


class VectorIndex(NamedTuple):
    """The address of an index. `hidden` names metadata that no filter uses, and that may be long.

    S3 Vectors takes at most 2 KB of other metadata per vector, and 40 KB of both.
    """

    bucket: str
    name: str
    hidden: tuple[str, ...] = ()


class Vector(NamedTuple):
    """A stored vector: finite, not zero. `values` is empty where they were not asked for."""

    key: str
    values: Sequence[float]
    metadata: Metadata


class Neighbour(NamedTuple):
    """A vector that was found, and its cosine with the query, -1…1."""

    key: str
    similarity: float
    metadata: Metadata


class S3Vectors:
    """Indexes in Amazon S3 Vectors. Retries briefly; the state machine retries for longer.

    Every method raises KeyError if there is no such bucket or index, StoreUnavailable if S3 Vectors
    is busy or does not answer, AccessDenied, or KeyUnusable.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - no installed stub has its type
        self._client = client

    @classmethod
    def connect(cls) -> S3Vectors:
        """Use the credentials, region and endpoint of the environment."""
        retries = {"mode": "standard", "total_max_attempts": 5}
        config = Config(
            connect_timeout=5,
            read_timeout=30,
            retries=retries,  # type: ignore[arg-type]
            max_pool_connections=_AT_ONCE + 2,
        )
        return cls(boto3.client("s3vectors", config=config))

    def create(self, index: VectorIndex, *, dimension: int) -> None:
        """Create an index that compares by cosine. One that is there already stays as it is."""
        hidden = {"nonFilterableMetadataKeys": list(index.hidden)}
        with _named_errors(index), _ignoring(_CONFLICT):
            self._client.create_index(
                **_address(index),
                dataType="float32",
                dimension=dimension,
                distanceMetric="cosine",
                **({"metadataConfiguration": hidden} if index.hidden else {}),
            )

    def drop(self, index: VectorIndex) -> None:
        """Delete an index and all its vectors, if there is one."""
        with _named_errors(index), _ignoring(_MISSING):
            self._client.delete_index(**_address(index))

    def put(self, index: VectorIndex, vectors: Iterable[Vector]) -> None:
        """Store vectors, in place of those with the same keys.

        Raises ValueError for more metadata than S3 Vectors takes, before any of a batch is stored.
        """
        for batch in _batches(vectors, _WRITTEN):
            records = [_record(index, each) for each in batch]
            with _named_errors(index):
                self._client.put_vectors(**_address(index), vectors=records)

    def get(
        self, index: VectorIndex, keys: Iterable[str], *, values: bool = False
    ) -> dict[str, Vector]:
        """Return those of the vectors that there are, by key."""
        found: dict[str, Vector] = {}
        for batch in _batches(keys, _READ):
            with _named_errors(index):
                answer = self._client.get_vectors(
                    **_address(index), keys=batch, returnMetadata=True, returnData=values
                )
            found |= {each["key"]: _vector(each) for each in answer["vectors"]}
        return found

    def query(
        self,
        index: VectorIndex,
        values: Sequence[float],
        *,
        most: int,
        where: Mapping[str, Any] | None = None,
    ) -> list[Neighbour]:
        """Return the nearest vectors whose metadata match `where`, the most similar first.

        `most` is at most 100. Filters apply before the search, so that if fewer are returned, there
        are no more.
        """
        wanted: dict[str, Any] = {} if where is None else {"filter": where}
        with _named_errors(index):
            answer = self._client.query_vectors(
                **_address(index),
                queryVector={"float32": list(values)},
                topK=most,
                queryMode="ENHANCED",  # in an older bucket, filters apply during the search
                returnDistance=True,
                returnMetadata=True,
                **wanted,
            )
        return [
            Neighbour(
                each["key"], min(max(1 - each["distance"], -1.0), 1.0), each.get("metadata") or {}
            )
            for each in answer["vectors"]
        ]

    def scan(
        self, index: VectorIndex, *, values: bool = False, metadata: bool = True
    ) -> Iterator[Vector]:
        """Yield all vectors, in no order, from several listings at once."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:

            def ask(segment: int, token: str | None) -> Future[Any]:
                return pool.submit(
                    self._page, index, token, segment, returnData=values, returnMetadata=metadata
                )

            waiting = {ask(segment, None): segment for segment in range(_AT_ONCE)}
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for each in done:
                    segment, page = waiting.pop(each), each.result()
                    if token := page.get("nextToken"):
                        waiting[ask(segment, token)] = segment
                    yield from map(_vector, page["vectors"])

    def delete(self, index: VectorIndex, keys: Iterable[str]) -> None:
        """Delete vectors for good. Those that are missing are ignored."""
        for batch in _batches(keys, _WRITTEN):
            with _named_errors(index):
                self._client.delete_vectors(**_address(index), keys=batch)

    def _page(
        self, index: VectorIndex, token: str | None, segment: int, **returned: bool
    ) -> dict[str, Any]:
        onward = {} if token is None else {"nextToken": token}
        with _named_errors(index):
            page: dict[str, Any] = self._client.list_vectors(
                **_address(index),
                maxResults=_LISTED,
                segmentCount=_AT_ONCE,
                segmentIndex=segment,
                **returned,
                **onward,
            )
        return page


def _address(index: VectorIndex) -> dict[str, str]:
    return {"vectorBucketName": index.bucket, "indexName": index.name}


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _record(index: VectorIndex, vector: Vector) -> dict[str, Any]:
    filterable = {k: v for k, v in vector.metadata.items() if k not in index.hidden}
    for metadata, most in ((filterable, _FILTERABLE_BYTES), (vector.metadata, _METADATA_BYTES)):
        taken = len(json.dumps(dict(metadata)).encode())
        if taken > most:
            raise ValueError(f"the metadata of {vector.key} take {taken} bytes; at most {most} can")
    return {
        "key": vector.key,
        "data": {"float32": list(vector.values)},
        "metadata": dict(vector.metadata),
    }


def _vector(told: Mapping[str, Any]) -> Vector:
    return Vector(told["key"], told.get("data", {}).get("float32", ()), told.get("metadata") or {})


@contextmanager
def _ignoring(code: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


@contextmanager
def _named_errors(index: VectorIndex) -> Iterator[None]:
    """Raise what an answer of S3 Vectors means; other errors, which are bugs, pass."""
    at = f"the index {index.name} of the vector bucket {index.bucket}"
    try:
        yield
    except ClientError as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning(f"S3 Vectors answered for {at}: {error}") from error
    except (HTTPClientError, NoConnection, IncompleteReadError) as error:
        raise StoreUnavailable(f"S3 Vectors did not answer for {at}: {error}") from error


def _meaning(error: ClientError) -> type[Exception] | None:
    code = error.response["Error"]["Code"]
    if is_outage(error) or code in _EXPIRED:
        return StoreUnavailable
    if code in _KEY:
        return KeyUnusable
    if code in _DENIED:
        return AccessDenied
    return KeyError if code == _MISSING else None
