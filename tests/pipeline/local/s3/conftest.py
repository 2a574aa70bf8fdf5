"""Provide S3 behind its gate, on one port, with a bucket called photos."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree as ET

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from urllib3.filepost import encode_multipart_formdata

from pipeline.local.cloud import ACCOUNT
from pipeline.local.moto import compat, memory
from pipeline.local.s3.gate import S3Gate
from pipeline.local.server import LocalServer, moto_app

BUCKET: Final = "photos"


@dataclass(eq=False)
class Store:
    """S3 of a local cloud, whose clock can be put forward."""

    port: int
    ahead: dt.timedelta = field(default_factory=dt.timedelta)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @functools.cache  # noqa: B019 - one store per run
    def client(self, secret_key: str = ACCOUNT.secret_key) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name=ACCOUNT.region,
            aws_access_key_id=ACCOUNT.access_key,
            aws_secret_access_key=secret_key,
            config=Config(signature_version="s3v4"),
        )

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def form(self, key: str = "cat.jpg", **options: Any) -> dict[str, str]:
        """Return the fields of a presigned form, as boto3 makes them."""
        signed = self.client().generate_presigned_post(BUCKET, key, **options)
        assert signed["url"] == f"{self.address}/{BUCKET}"
        fields: dict[str, str] = signed["fields"]
        return fields

    def post(self, fields: dict[str, Any], **options: Any) -> urllib3.BaseHTTPResponse:
        """Send a form as a browser does."""
        return urllib3.request(
            "POST", f"{self.address}/{BUCKET}", fields=fields, redirect=False, **options
        )

    def encode(self, fields: dict[str, Any]) -> tuple[bytes, str]:
        """Return the body and the type of a form."""
        return encode_multipart_formdata(fields)

    def send(
        self, body: bytes, content_type: str, *, path: str = f"/{BUCKET}", **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """Send any bytes, to the bucket by default."""
        given = {"Content-Type": content_type, **headers}
        return urllib3.request(
            "POST", f"{self.address}{path}", body=body, headers=given, redirect=False
        )

    def reasons(self) -> list[str]:
        """Return why the events say that objects were created, since the last call."""
        queue = self._service("sqs")
        url = queue.create_queue(QueueName="events")["QueueUrl"]
        found = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            queue.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"])["detail"]["reason"] for each in found]

    def send_events(self) -> None:
        """Send the events of the bucket to the queue that `reasons` reads."""
        self.reasons()  # creates the queue
        events = self._service("events")
        events.put_rule(Name="events", EventPattern='{"detail-type": ["Object Created"]}')
        arn = f"arn:aws:sqs:{ACCOUNT.region}:123456789012:events"
        events.put_targets(Rule="events", Targets=[{"Id": "events", "Arn": arn}])
        self.client().put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )

    def _service(self, name: str) -> Any:
        return boto3.client(
            name,
            endpoint_url=self.address,
            region_name=ACCOUNT.region,
            aws_access_key_id=ACCOUNT.access_key,
            aws_secret_access_key=ACCOUNT.secret_key,
        )

    def stored(self) -> list[str]:
        found = self.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"] for each in found]


@pytest.fixture(scope="package")
def running() -> Iterator[Store]:
    compat.apply()
    memory.forget()
    server = LocalServer(0)
    store = Store(server.port)
    server.start(S3Gate(moto_app(), ACCOUNT, clock=store.now))
    store.client().create_bucket(Bucket=BUCKET)
    yield store
    server.stop()
    memory.forget()


@pytest.fixture
def store(running: Store) -> Store:
    """Return S3 with an empty bucket, at the present time."""
    for key in running.stored():
        running.client().delete_object(Bucket=BUCKET, Key=key)
    running.ahead = dt.timedelta()
    return running


def error_of(answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    """Return the elements of S3's error."""
    document = ET.fromstring(answer.data)  # noqa: S314 - from our own server
    assert document.tag == "Error"
    return {each.tag: each.text or "" for each in document}


def signed(policy: object, **fields: str) -> dict[str, str]:
    """Return a form with a policy of any kind, signed by botocore with the account's key."""
    text = policy if isinstance(policy, str) else json.dumps(policy)
    encoded = base64.b64encode(text.encode()).decode()
    moment = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}"
    credentials = Credentials(ACCOUNT.access_key, ACCOUNT.secret_key)
    auth, request = SigV4Auth(credentials, "s3", ACCOUNT.region), AWSRequest()
    request.context["timestamp"] = moment
    given = {
        "key": "cat.jpg",
        "policy": encoded,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": auth.scope(request),
        "x-amz-date": moment,
        "x-amz-signature": auth.signature(encoded, request),
    }
    return given | {name.replace("_", "-"): value for name, value in fields.items()}


def policy(*conditions: object, expires_in_s: int = 60) -> dict[str, object]:
    """Return a policy that allows a key and its signature, and has these conditions too."""
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=expires_in_s)
    allowed = ("key", "x-amz-algorithm", "x-amz-credential", "x-amz-date")
    return {
        "expiration": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "conditions": [*([["starts-with", f"${name}", ""] for name in allowed]), *conditions],
    }
