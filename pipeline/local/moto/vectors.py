"""Make moto 5.2.5 answer S3 Vectors as AWS does: queries, pages, segments, and what it refuses.

As in `compat`, each function fixes one defect; the same tests show that it is needed. Limits:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html
"""

from __future__ import annotations

import json
import math
import threading
import zlib
from array import array
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.s3vectors import models, urls
from moto.s3vectors.exceptions import ValidationError
from moto.s3vectors.models import S3VectorsBackend, Vector
from moto.s3vectors.responses import S3VectorsResponse

_MOST_WRITTEN: Final = 500
_MOST_READ: Final = 100
_MOST_LISTED: Final = 1_000
_LISTED: Final = 500  # per page, unless a request asks for another number
_MOST_SEGMENTS: Final = 16
_PAGE_BYTES: Final = 2**20
_METADATA_BYTES: Final = 40 * 1024
_FILTERABLE_BYTES: Final = 2 * 1024
_METADATA_KEYS: Final = 50
_RETURNED: Final = {"data": "returnData", "metadata": "returnMetadata"}


class _IndexExists(ServiceException):  # type: ignore[misc]
    code = "ConflictException"

    def __init__(self) -> None:
        super().__init__("An index with the specified name already exists")


class StoredVector(Vector):  # type: ignore[misc]
    """A vector in single precision."""

    def __init__(self, key: str, data: Any, metadata: Any) -> None:
        self.key = key
        self.values = array("f", data["float32"])
        self.metadata = metadata

    @property
    def data(self) -> dict[str, list[float]]:
        return {"float32": self.values.tolist()}

    @staticmethod
    def from_dict(dct: Any) -> StoredVector:
        return StoredVector(dct["key"], dct["data"], dct.get("metadata") or {})


def apply() -> None:
    """Apply all patches; `compat.apply` calls this once per process."""
    _hold_single_precision()
    _remember_metadata_configurations()
    _refuse_second_indexes()
    _refuse_bad_vectors()
    _refuse_large_requests()
    _get_by_key()
    _list_pages_of_segments()
    _answer_queries()


def _hold_single_precision() -> None:
    """Vectors are lists of Python's numbers: more precise than on AWS, and eight times as large."""
    models.Vector = StoredVector


def _remember_metadata_configurations() -> None:
    """CreateIndex forgets which metadata cannot be filtered by."""
    respond = S3VectorsResponse.create_index

    def configured(self: Any) -> Any:
        answer = respond(self)
        name, arn = self._get_param("vectorBucketName"), self._get_param("vectorBucketArn")
        bucket = self.s3vectors_backend.get_vector_bucket(name, arn)
        index = bucket.indexes[f"{bucket.vector_bucket_arn}/index/{self._get_param('indexName')}"]
        index.metadata_configuration = self._get_param("metadataConfiguration") or {}
        return answer

    S3VectorsResponse.create_index = configured


def _refuse_second_indexes() -> None:
    """CreateIndex replaces an index of the same name by an empty one."""
    create, lock = S3VectorsBackend.create_index, threading.Lock()

    def create_once(self: Any, **options: Any) -> None:
        bucket = self.get_vector_bucket(options["vector_bucket_name"], options["vector_bucket_arn"])
        with lock:
            if any(each.index_name == options["index_name"] for each in bucket.indexes.values()):
                raise _IndexExists
            create(self, **options)

    S3VectorsBackend.create_index = create_once


def _refuse_bad_vectors() -> None:
    """PutVectors stores zero vectors, NaN, and metadata of any size."""
    put = S3VectorsBackend.put_vectors

    def put_valid(
        self: Any, vector_bucket_name: str, index_name: str, index_arn: str, vectors: list[Any]
    ) -> None:
        index = self.get_index(vector_bucket_name, index_name, index_arn)
        for each in vectors:
            for fault in _faults(index, each):
                raise ValidationError(f"Invalid record for key '{each['key']}': {fault}")
        put(self, vector_bucket_name, index_name, index_arn, vectors)

    S3VectorsBackend.put_vectors = put_valid


def _faults(index: Any, vector: Any) -> Iterator[str]:
    values, metadata = vector["data"]["float32"], vector.get("metadata") or {}
    if not all(map(math.isfinite, values)):
        yield "vector must contain only finite values"
    if index.distance_metric == "cosine" and not any(values):
        yield "zero vectors are not supported with the cosine distance metric"
    if len(metadata) > _METADATA_KEYS:
        yield f"Metadata must have at most {_METADATA_KEYS} keys"
    if _json_bytes(metadata) > _METADATA_BYTES:
        yield f"Total metadata must have at most {_METADATA_BYTES} bytes"
    hidden = unfilterable(index)
    if _json_bytes({k: v for k, v in metadata.items() if k not in hidden}) > _FILTERABLE_BYTES:
        yield f"Filterable metadata must have at most {_FILTERABLE_BYTES} bytes"


def unfilterable(index: Any) -> frozenset[str]:
    """Return the metadata keys of an index that no filter may name."""
    configuration = getattr(index, "metadata_configuration", {})
    return frozenset(configuration.get("nonFilterableMetadataKeys", ()))


def _json_bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _refuse_large_requests() -> None:
    """Requests may name any number of vectors."""

    def limited(respond: Callable[[Any], Any], name: str, most: int) -> Callable[[Any], Any]:
        def respond_within(self: Any) -> Any:
            if not 1 <= len(self._get_param(name) or ()) <= most:
                _refuse(name, f"Member must have length between 1 and {most}, inclusive")
            return respond(self)

        return respond_within

    S3VectorsResponse.put_vectors = limited(S3VectorsResponse.put_vectors, "vectors", _MOST_WRITTEN)
    S3VectorsResponse.delete_vectors = limited(
        S3VectorsResponse.delete_vectors, "keys", _MOST_WRITTEN
    )
    S3VectorsResponse.get_vectors = limited(S3VectorsResponse.get_vectors, "keys", _MOST_READ)


def _get_by_key() -> None:
    """GetVectors goes through all vectors, and fails if one is written meanwhile."""

    def get_vectors(
        self: Any, vector_bucket_name: str, index_name: str, index_arn: str, keys: list[str]
    ) -> list[Any]:
        vectors = self.get_index(vector_bucket_name, index_name, index_arn).vectors
        found = (vectors.get(key) for key in dict.fromkeys(keys))
        return [each for each in found if each is not None]

    S3VectorsBackend.get_vectors = get_vectors


def _list_pages_of_segments() -> None:
    """ListVectors returns all vectors at once, and for every segment."""

    def list_vectors(self: Any) -> ActionResult:
        most = self._get_param("maxResults") or _LISTED
        segments = self._get_param("segmentCount") or 1
        segment = self._get_param("segmentIndex") or 0
        if not 1 <= most <= _MOST_LISTED:
            _refuse("maxResults", f"Member must be between 1 and {_MOST_LISTED}, inclusive")
        if not 0 <= segment < segments <= _MOST_SEGMENTS:
            _refuse("segmentIndex", f"Member must be less than segmentCount, {_MOST_SEGMENTS}")
        returned = [each for each in ("data", "metadata") if self._get_param(_RETURNED[each])]
        after = self._get_param("nextToken") or ""
        vectors = sorted(requested_index(self).vectors.copy().items())
        listed = [
            {"key": key} | {each: getattr(vector, each) for each in returned}
            for key, vector in vectors
            if key > after and zlib.crc32(key.encode()) % segments == segment
        ]
        page = list(_page(listed[:most]))
        more = {"nextToken": page[-1]["key"]} if len(page) < len(listed) else {}
        return ActionResult({"vectors": page} | more)

    S3VectorsResponse.list_vectors = list_vectors


def _page(vectors: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the first of them, until they have a megabyte."""
    size = 0
    for each in vectors:
        yield each
        values = each.get("data", {"float32": ()})["float32"]
        size += len(each["key"]) + 4 * len(values) + _json_bytes(each.get("metadata"))
        if size > _PAGE_BYTES:
            return


def requested_index(response: Any) -> Any:
    """Return the index that a request names, in one of the two ways."""
    names = [response._get_param(name) for name in ("vectorBucketName", "indexName", "indexArn")]
    response._validate_index_params(names[2], names[1], names[0])
    return response.s3vectors_backend.get_index(*names)


def _answer_queries() -> None:
    """QueryVectors is missing."""

    def query_vectors(self: Any) -> ActionResult:
        from pipeline.local.moto.vector_queries import answer  # noqa: PLC0415 - needs numpy

        return ActionResult(answer(requested_index(self), self._get_params()))

    S3VectorsResponse.query_vectors = query_vectors
    urls.url_paths["{0}/QueryVectors$"] = S3VectorsResponse.dispatch


def _refuse(name: str, why: str) -> NoReturn:
    raise ValidationError(
        f"1 validation error detected. Value at '/{name}' failed to satisfy constraint: {why}"
    )
