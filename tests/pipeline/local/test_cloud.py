"""A stopped cloud leaves no files behind; workers of several photos share the cores."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import hardware
from pipeline.declared.blueprint import Blueprint
from pipeline.local import cloud as cloud_module
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.local.moto.stored_objects import bodies
from pipeline.local.worker import Function
from tests.conftest import ROOT


def test_no_file_is_left_after_the_cloud_has_stopped() -> None:
    with local_cloud(Blueprint.read(ROOT)) as cloud:
        s3 = cloud.client("s3")
        for content in (b"old", b"new"):
            s3.put_object(Bucket=NAMES.bucket("ingest"), Key="not-a-photo", Body=content)
        assert files()

    assert not files()


@pytest.mark.parametrize(("photos", "threads"), [(1, "4"), (2, "2"), (28, "1")])
def test_the_workers_of_a_batch_share_the_cores(
    photos: int, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "cores", lambda: 4)
    monkeypatch.setattr(hardware, "memory_mb", lambda: 65_536)
    monkeypatch.setattr(cloud_module, "WORKERS_PER_FUNCTION", 4)
    told = set[str]()

    def note(function: Function) -> Function:
        told.add(function.environment["MATTELINE_THREADS"])
        return function

    with local_cloud(Blueprint.read(ROOT), calls_at_once=photos, adjust=note):
        pass

    assert told == {threads}


def test_a_function_has_no_more_workers_than_fit_into_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hardware, "cores", lambda: 4)
    monkeypatch.setattr(hardware, "memory_mb", lambda: 8_192)
    monkeypatch.setattr(cloud_module, "WORKERS_PER_FUNCTION", 4)
    told: dict[str, tuple[int | None, str]] = {}

    def note(function: Function) -> Function:
        threads = function.environment["MATTELINE_THREADS"]
        told[function.name] = function.concurrency, threads
        return function

    with local_cloud(Blueprint.read(ROOT), calls_at_once=28, adjust=note):
        pass

    assert told["matteline-local-transcriber-whisper-base"] == (4, "1")
    assert told["matteline-local-transcriber-whisper-medium"] == (2, "2")
    assert told["matteline-local-transcriber-whisper-large-v3"] == (1, "4")


def files() -> set[Path]:
    return set(bodies().path.glob("*.body"))
