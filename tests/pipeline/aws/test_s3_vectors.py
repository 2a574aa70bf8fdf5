"""Vectors are stored, found and deleted in S3 Vectors; its errors are named."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from pipeline.artifacts import AccessDenied
from pipeline.aws.s3_vectors import S3Vectors, Vector, VectorIndex
from pipeline.errors import KeyUnusable, StoreUnavailable
from pipeline.local.moto import compat
from pipeline.local.server import LocalServer, moto_app

DIMENSION: Final = 4
NOWHERE: Final = VectorIndex("nowhere", "nothing", hidden=("facts",))
QUERY: Final = [1.0, 0.0, 0.0, 0.0]


def client(port: int, **options: Any) -> Any:
    return boto3.client(
        "s3vectors",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",  # noqa: S106 - moto accepts any
        config=Config(connect_timeout=2, read_timeout=5, **options),
    )


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    compat.apply()
    server = LocalServer(0)
    server.start(moto_app())
    yield server
    server.stop()


@pytest.fixture
def store(server: LocalServer) -> S3Vectors:
    return S3Vectors(client(server.port))


@pytest.fixture
def index(server: LocalServer, store: S3Vectors) -> VectorIndex:
    index = VectorIndex(f"bucket-{uuid.uuid4().hex}", "faces", hidden=("facts",))
    client(server.port).create_vector_bucket(vectorBucketName=index.bucket)
    store.create(index, dimension=DIMENSION)
    return index


def vectors(count: int) -> list[Vector]:
    return [
        Vector(f"{n:05}", [1.0, n / 10_000, 0.0, 0.0], {"even": n % 2 == 0, "facts": "x" * 3000})
        for n in range(count)
    ]


def test_more_vectors_than_one_request_takes_are_put_read_listed_and_deleted(
    store: S3Vectors, index: VectorIndex
) -> None:
    put = vectors(1_203)
    store.put(index, iter(put))

    keys = [each.key for each in put]
    got = store.get(index, [*keys, "none"], values=True)
    scanned = sorted(store.scan(index, values=True))
    bare = sorted(store.scan(index, metadata=False))

    assert sorted(got) == keys == [each.key for each in scanned] == [each.key for each in bare]
    assert got["00005"].values == pytest.approx(put[5].values)
    assert got["00005"].metadata == put[5].metadata == scanned[5].metadata
    assert bare[5] == Vector("00005", (), {})
    store.delete(index, keys[1:])
    assert [each.key for each in store.scan(index)] == ["00000"]


def test_a_vector_of_the_same_key_takes_the_place_of_the_first(
    store: S3Vectors, index: VectorIndex
) -> None:
    store.put(index, [Vector("a", QUERY, {"n": 1})])
    store.put(index, [Vector("a", QUERY, {"n": 2})])

    assert [each.metadata for each in store.scan(index)] == [{"n": 2}]


def test_a_query_returns_the_most_similar_first(store: S3Vectors, index: VectorIndex) -> None:
    store.put(index, [*vectors(20), Vector("opposite", [-1.0, 0.0, 0.0, 0.0], {"even": True})])

    found = store.query(index, QUERY, most=100)
    odd = store.query(index, QUERY, most=2, where={"even": False})

    assert [each.key for each in found] == [*(each.key for each in vectors(20)), "opposite"]
    assert found[0].similarity == 1
    assert found[-1].similarity == -1
    assert found[3].similarity == pytest.approx(1 / (1 + 0.0003**2) ** 0.5)
    assert found[0].metadata == vectors(1)[0].metadata
    assert [each.key for each in odd] == ["00001", "00003"]


def test_creating_an_index_again_leaves_its_vectors(store: S3Vectors, index: VectorIndex) -> None:
    store.put(index, vectors(3))
    store.create(index, dimension=DIMENSION)

    assert len(list(store.scan(index))) == 3


def test_a_dropped_index_is_missing_and_may_be_dropped_again(
    store: S3Vectors, index: VectorIndex
) -> None:
    store.drop(index)
    store.drop(index)

    with pytest.raises(KeyError):
        store.get(index, ["a"])


@pytest.mark.parametrize(
    ("metadata", "most"),
    [({"facts": "x" * 41_000}, 40_960), ({"person": "x" * 2_100}, 2_048)],
    ids=["total", "filterable"],
)
def test_too_much_metadata_is_refused_before_anything_is_stored(
    store: S3Vectors, index: VectorIndex, metadata: Any, most: int
) -> None:
    with pytest.raises(ValueError, match=f"at most {most}"):
        store.put(index, [*vectors(1), Vector("long", QUERY, metadata)])

    assert list(store.scan(index)) == []


CALLS: Final[dict[str, Callable[[S3Vectors], object]]] = {
    "CreateIndex": lambda store: store.create(NOWHERE, dimension=DIMENSION),
    "PutVectors": lambda store: store.put(NOWHERE, vectors(1)),
    "GetVectors": lambda store: store.get(NOWHERE, ["a"]),
    "QueryVectors": lambda store: store.query(NOWHERE, QUERY, most=1),
    "ListVectors": lambda store: list(store.scan(NOWHERE)),
    "DeleteVectors": lambda store: store.delete(NOWHERE, ["a"]),
    "DeleteIndex": lambda store: store.drop(NOWHERE),
}
MEANINGS: Final[dict[tuple[str, int], type[Exception]]] = {
    ("ServiceUnavailableException", 503): StoreUnavailable,
    ("TooManyRequestsException", 429): StoreUnavailable,
    ("InternalServerException", 500): StoreUnavailable,
    ("RequestTimeoutException", 408): StoreUnavailable,
    ("ExpiredTokenException", 403): StoreUnavailable,
    ("KmsDisabledException", 400): KeyUnusable,
    ("KmsInvalidKeyUsageException", 400): KeyUnusable,
    ("KmsInvalidStateException", 400): KeyUnusable,
    ("KmsNotFoundException", 400): KeyUnusable,
    ("AccessDeniedException", 403): AccessDenied,
    ("NotFoundException", 404): KeyError,
    ("ValidationException", 400): ClientError,
    ("ServiceQuotaExceededException", 402): ClientError,
}
IGNORED: Final = {
    ("DeleteIndex", "NotFoundException"), ("CreateIndex", "ConflictException"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        (operation, *answer)
        for operation in CALLS
        for answer in MEANINGS
        if (operation, answer[0]) not in IGNORED
    ],
)
def test_an_error_of_the_service_has_a_name(operation: str, code: str, status: int) -> None:
    with Stubber(client(1)) as stub:
        method = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation)[1:]
        for _ in range(8):  # listings at once
            stub.add_client_error(method, code, "Says why", http_status_code=status)

        with pytest.raises(MEANINGS[code, status]) as error:
            CALLS[operation](S3Vectors(stub.client))

    assert "Says why" in str(error.value)


@pytest.mark.parametrize("operation", CALLS)
def test_every_error_that_the_service_declares_has_a_meaning(operation: str) -> None:
    shapes = client(1).meta.service_model.operation_model(operation).error_shapes
    known = {code for code, _ in MEANINGS} | {c for name, c in IGNORED if name == operation}

    assert {shape.name for shape in shapes} <= known


def test_a_service_that_is_not_there_is_unavailable() -> None:
    store = S3Vectors(client(9, retries={"total_max_attempts": 1}))

    with pytest.raises(StoreUnavailable, match="the index nothing of the vector bucket nowhere"):
        store.get(NOWHERE, ["a"])
