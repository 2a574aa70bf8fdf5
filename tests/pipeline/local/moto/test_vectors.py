"""The local cloud answers S3 Vectors as AWS does: exact neighbours, filters, pages, refusals."""

from __future__ import annotations

import uuid
from typing import Any, Final, NamedTuple

import numpy as np
import pytest
from botocore.exceptions import ClientError

from pipeline.local.cloud import LocalCloud

DIMENSION: Final = 8
FACES: Final[tuple[dict[str, Any], ...]] = (
    {"name": "ada", "year": 1815, "tags": ["maths", "engines"], "alive": False},
    {"name": "bob", "year": 1950, "alive": True},
    {"name": "cy", "year": 2001.5, "facts": "long", "alive": True},
    {"year": 1, "alive": False},
)


class Vectors(NamedTuple):
    """An index of an index's own bucket."""

    client: Any
    name: dict[str, str]

    def put(self, *vectors: dict[str, Any]) -> None:
        self.client.put_vectors(**self.name, vectors=list(vectors))

    def query(self, values: Any, most: int = 10, **options: Any) -> list[dict[str, Any]]:
        query = {"float32": [float(each) for each in values]}
        answer = self.client.query_vectors(
            **self.name, queryVector=query, topK=most, returnDistance=True, **options
        )
        assert answer["distanceMetric"] == "cosine"
        found: list[dict[str, Any]] = answer["vectors"]
        return found


@pytest.fixture
def vectors(cloud: LocalCloud) -> Vectors:
    client = cloud.client("s3vectors")
    bucket = f"bucket-{uuid.uuid4().hex}"
    client.create_vector_bucket(vectorBucketName=bucket)
    made = Vectors(client, {"vectorBucketName": bucket, "indexName": "faces"})
    client.create_index(
        **made.name,
        dataType="float32",
        dimension=DIMENSION,
        distanceMetric="cosine",
        metadataConfiguration={"nonFilterableMetadataKeys": ["facts"]},
    )
    return made


def axis(number: int) -> list[float]:
    return [float(place == number) for place in range(DIMENSION)]


def vector(key: str, values: Any, **metadata: Any) -> dict[str, Any]:
    data = {"float32": [float(each) for each in values]}
    return {"key": key, "data": data} | ({"metadata": metadata} if metadata else {})


@pytest.fixture
def faces(vectors: Vectors) -> Vectors:
    vectors.put(*(vector(str(n), axis(n), **face) for n, face in enumerate(FACES)))
    return vectors


def refused(call: Any) -> str:
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error.value.response["Error"]["Message"]


def test_the_nearest_come_first_with_one_minus_their_cosine(vectors: Vectors) -> None:
    random = np.random.default_rng(7)
    stored = random.normal(size=(50, DIMENSION)).astype(np.float32)
    query = random.normal(size=DIMENSION).astype(np.float32)
    vectors.put(*(vector(f"{n:02}", values) for n, values in enumerate(stored)))

    found = vectors.query(query, most=20)

    cosines = stored @ query / np.linalg.norm(stored, axis=1) / np.linalg.norm(query)
    assert [int(each["key"]) for each in found] == list(np.argsort(-cosines)[:20])
    assert [each["distance"] for each in found] == pytest.approx(
        1 - np.sort(cosines)[::-1][:20], abs=1e-6
    )
    assert all("metadata" not in each for each in found)


def test_a_distance_is_zero_for_itself_and_two_for_its_opposite(vectors: Vectors) -> None:
    vectors.put(vector("same", axis(0)), vector("opposite", [-each for each in axis(0)]))

    assert [(each["key"], each["distance"]) for each in vectors.query(axis(0))] == [
        ("same", 0.0),
        ("opposite", 2.0),
    ]


def test_metadata_and_distances_come_if_asked_for(faces: Vectors) -> None:
    query = {"float32": axis(2)}
    bare = faces.client.query_vectors(**faces.name, queryVector=query, topK=1)["vectors"]
    full = faces.query(axis(2), most=1, returnMetadata=True)

    assert bare == [{"key": "2"}]
    assert full[0]["metadata"] == FACES[2]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({"name": "ada"}, "0"),
        ({"name": {"$eq": "ada"}}, "0"),
        ({"tags": {"$eq": "engines"}}, "0"),
        ({"year": {"$eq": 1950.0}}, "1"),
        ({"year": {"$eq": True}}, ""),
        ({"alive": {"$eq": 1}}, ""),
        ({"alive": True}, "12"),
        ({"name": {"$ne": "ada"}}, "123"),
        ({"tags": {"$ne": "maths"}}, "123"),
        ({"year": {"$gt": 1950}}, "2"),
        ({"year": {"$gte": 1950}}, "12"),
        ({"year": {"$lt": 1815}}, "3"),
        ({"year": {"$lte": 1815}}, "03"),
        ({"year": {"$gt": 1, "$lt": 1950}}, "0"),
        ({"name": {"$gt": 1}}, ""),
        ({"name": {"$in": ["ada", "cy"]}}, "02"),
        ({"name": {"$nin": ["ada", "cy"]}}, "13"),
        ({"name": {"$exists": False}}, "3"),
        ({"tags": {"$exists": True}}, "0"),
        ({"name": "bob", "alive": False}, ""),
        ({"$and": [{"alive": True}, {"year": {"$lt": 2000}}]}, "1"),
        ({"$or": [{"name": "ada"}, {"year": 1}]}, "03"),
        ({"$and": [{"$or": [{"name": "ada"}, {"name": "bob"}]}, {"alive": True}]}, "1"),
    ],
    ids=str,
)
def test_a_filter_leaves_what_matches_it(faces: Vectors, wanted: Any, keys: str) -> None:
    assert "".join(sorted(each["key"] for each in faces.query(axis(0), filter=wanted))) == keys


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        [],
        "ada",
        {"$not": {"name": "ada"}},
        {"name": {"$like": "a"}},
        {"name": {}},
        {"name": None},
        {"name": {"$in": []}},
        {"name": {"$in": "ada"}},
        {"name": {"$nin": [["ada"]]}},
        {"name": {"$exists": 1}},
        {"year": {"$gt": "1950"}},
        {"year": {"$lt": True}},
        {"$and": []},
        {"$or": {"name": "ada"}},
        {"facts": "long"},
        {"$or": [{"year": each} for each in range(101)]},
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_filter_that_is_none_is_refused(faces: Vectors, wanted: Any) -> None:
    assert "filter" in refused(lambda: faces.query(axis(0), filter=wanted))


def test_a_hundred_constraints_are_a_filter(faces: Vectors) -> None:
    years = {"$or": [{"year": each} for each in range(100)]}

    assert [each["key"] for each in faces.query(axis(0), filter=years)] == ["3"]


@pytest.mark.parametrize(
    ("values", "options", "why"),
    [
        (axis(0)[1:], {}, "length 8, but has length 7"),
        ([0] * DIMENSION, {}, "Zero vectors"),
        (axis(0), {"most": 101}, "topK"),
        (axis(0), {"nextToken": "x"}, "token"),
    ],
    ids=["dimension", "zero", "too many", "page"],
)
def test_a_query_that_cannot_be_answered_is_refused(
    faces: Vectors, values: Any, options: Any, why: str
) -> None:
    assert why in refused(lambda: faces.query(values, **options))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (vector("k", [0] * DIMENSION), "zero vectors"),
        (vector("k", axis(1)[1:]), "length 8, but has length 7"),
        (vector("k", axis(0), name="x" * 2048), "Filterable metadata must have at most 2048 bytes"),
        (vector("k", axis(0), facts="x" * 40960), "Total metadata must have at most 40960 bytes"),
        (vector("k", axis(0), **{f"k{n}": 1 for n in range(51)}), "at most 50 keys"),
    ],
    ids=["zero", "dimension", "filterable", "total", "keys"],
)
def test_a_bad_vector_is_refused_and_with_it_the_request(
    vectors: Vectors, bad: Any, why: str
) -> None:
    assert why in refused(lambda: vectors.put(vector("good", axis(0)), bad))
    assert vectors.query(axis(0)) == []


def test_unfilterable_metadata_may_be_long(vectors: Vectors) -> None:
    vectors.put(vector("k", axis(0), facts="x" * 40_000))

    assert len(vectors.query(axis(0), returnMetadata=True)[0]["metadata"]["facts"]) == 40_000


def test_too_many_vectors_at_once_are_refused(vectors: Vectors) -> None:
    many = [vector(f"{n}", axis(0)) for n in range(501)]

    refused(lambda: vectors.put(*many))
    vectors.put(*many[:-1])
    refused(lambda: vectors.client.delete_vectors(**vectors.name, keys=[x["key"] for x in many]))
    refused(lambda: vectors.client.get_vectors(**vectors.name, keys=["0"] * 101))


def test_pages_of_segments_have_every_vector_once(vectors: Vectors) -> None:
    keys = [f"{n:03}" for n in range(300)]
    vectors.put(*(vector(key, axis(0), n=key) for key in keys))
    pages = vectors.client.get_paginator("list_vectors")

    segments = [
        [
            each
            for page in pages.paginate(
                **vectors.name, segmentCount=3, segmentIndex=segment, maxResults=7,
                returnData=True, returnMetadata=True,
            )
            for each in page["vectors"]
        ]
        for segment in range(3)
    ]  # fmt: skip

    assert all(segments)
    found = sorted((each for segment in segments for each in segment), key=lambda each: each["key"])
    assert [each["key"] for each in found] == keys
    assert found[5]["data"] == {"float32": axis(0)}
    assert found[5]["metadata"] == {"n": "005"}


def test_a_page_ends_after_a_megabyte(vectors: Vectors) -> None:
    vectors.put(*(vector(f"{n:02}", axis(0), facts="x" * 40_000) for n in range(40)))

    first = vectors.client.list_vectors(**vectors.name, returnMetadata=True)
    pages = vectors.client.get_paginator("list_vectors")
    found = [
        each
        for page in pages.paginate(**vectors.name, returnMetadata=True)
        for each in page["vectors"]
    ]

    assert 20 < len(first["vectors"]) < 30
    assert len(found) == 40
    assert len(vectors.client.list_vectors(**vectors.name)["vectors"]) == 40


def test_a_deleted_vector_is_found_no_more(faces: Vectors) -> None:
    faces.client.delete_vectors(**faces.name, keys=["0", "none"])

    assert {each["key"] for each in faces.query(axis(0))} == {"1", "2", "3"}


def test_a_second_index_of_the_name_is_refused_and_the_first_stays(faces: Vectors) -> None:
    with pytest.raises(ClientError) as error:
        faces.client.create_index(
            **faces.name, dataType="float32", dimension=2, distanceMetric="cosine"
        )

    assert error.value.response["Error"]["Code"] == "ConflictException"
    assert len(faces.query(axis(0))) == 4


def test_the_local_cloud_has_the_declared_vector_buckets(cloud: LocalCloud) -> None:
    found = cloud.client("s3vectors").list_vector_buckets()["vectorBuckets"]

    assert "matteline-local-collections" in {each["vectorBucketName"] for each in found}
