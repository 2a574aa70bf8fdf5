"""The HTTP API answers on a running local cloud."""

from __future__ import annotations

import json

import urllib3

from pipeline.local.cloud import LocalCloud


def test_the_models_are_listed_over_http(cloud: LocalCloud) -> None:
    response = urllib3.request("GET", f"{cloud.api}/models")

    assert response.status == 200
    assert [model["name"] for model in response.json()["models"]] == [
        row.name for row in cloud.blueprint.catalogue.rows
    ]


def test_a_problem_has_the_request_id_of_the_gateway_and_of_the_log(cloud: LocalCloud) -> None:
    response = urllib3.request("GET", f"{cloud.api}/nothing")

    problem = response.json()
    log = (cloud.logs / "matteline-local-http-api.log").read_text().splitlines()
    lines = [json.loads(line) for line in log if '"request_id"' in line]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["apigw-requestid"] == problem["request_id"]
    assert [line["message"] for line in lines if line["request_id"] == problem["request_id"]] == [
        "there is no path /api/nothing",
        "done",
    ]


def test_a_bucket_may_still_be_called_anything_else(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="apis")
    s3.put_object(Bucket="apis", Key="models", Body=b"x")

    assert s3.get_object(Bucket="apis", Key="models")["Body"].read() == b"x"
