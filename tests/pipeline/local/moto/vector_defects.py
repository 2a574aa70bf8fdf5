"""Return True for each patch whose defect of S3 Vectors is there; for `defects`."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError
from moto.s3vectors.models import s3vectors_backends

from tests.pipeline.local.moto.machine import Machine

INDEX: Final = {"vectorBucketName": "vectors", "indexName": "defects"}
UNFILTERABLE: Final = {"nonFilterableMetadataKeys": ["facts"]}


class Watched(dict[str, Any]):
    """A dict that knows if somebody went through all its keys."""

    read = False

    def __iter__(self) -> Any:
        self.read = True
        return super().__iter__()


def vector_defects(machine: Machine) -> dict[str, bool]:
    client = machine.client("s3vectors")
    client.create_vector_bucket(vectorBucketName=INDEX["vectorBucketName"])
    shape = {"dataType": "float32", "dimension": 2, "distanceMetric": "cosine"}
    client.create_index(**INDEX, **shape, metadataConfiguration=UNFILTERABLE)
    vectors = [{"key": key, "data": {"float32": [1, 0.1]}} for key in "abc"]
    client.put_vectors(**INDEX, vectors=vectors)
    (bucket,) = s3vectors_backends["123456789012"]["aws"].vector_buckets.values()
    (index,) = bucket.indexes.values()
    watched = index.vectors = Watched(index.vectors)
    (got,) = client.get_vectors(**INDEX, keys=["a"], returnData=True)["vectors"]
    listed = client.list_vectors(**INDEX, maxResults=1)["vectors"]
    zero = {"key": "zero", "data": {"float32": [0, 0]}}
    query = {"topK": 1, "queryVector": {"float32": [1, 0]}}
    return {
        "_get_by_key": watched.read,
        "_hold_single_precision": got["data"]["float32"][1] == 0.1,
        "_remember_metadata_configurations": not hasattr(index, "metadata_configuration"),
        "_list_pages_of_segments": len(listed) > 1,
        "_refuse_large_requests": not refuses(client.get_vectors, keys=["a"] * 101),
        "_refuse_bad_vectors": not refuses(client.put_vectors, vectors=[zero]),
        "_refuse_second_indexes": not refuses(client.create_index, **shape),
        "_answer_queries": refuses(client.query_vectors, **query),
    }


def refuses(call: Any, **parameters: Any) -> bool:
    try:
        call(**INDEX, **parameters)
    except ClientError:
        return True
    return False
