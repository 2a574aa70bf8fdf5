"""A decorated function parses its job, dumps its result, and names what went wrong."""

from __future__ import annotations

import inspect
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline import hardware
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.contract import Source
from pipeline.errors import NoSubject, OutOfMemory, SourceChanged, UnknownModel
from pipeline.task import equip, task
from pipeline.weights.proxies import Proxies
from pipeline.workbench import Settings, Workbench
from tests.pipeline.containers.greeter.calls import EVENT, LAMBDA, call
from tests.pipeline.containers.greeter.handler import (
    Greet,
    Portray,
    gather,
    greet,
    hurry,
    licence,
    overeat,
    refuse,
    replace_photo,
    stumble,
)

pytestmark = pytest.mark.usefixtures("fresh_workbench")


def test_a_result_is_dumped_by_alias() -> None:
    result = call(greet)

    assert (result["schema"], result["text"]) == (1, "Hello Ada")
    assert set(result) == {"schema", "text", "metrics", "provenance"}


def test_a_result_is_plain_json() -> None:
    result = call(greet)

    assert json.loads(json.dumps(result)) == result


def test_a_result_says_how_long_it_took_and_what_it_used() -> None:
    metrics = call(greet)["metrics"]

    assert set(metrics) == {
        "greet_ms", "task_ms", "peak_rss_mb", "cold_start", "letters", "gb_s"
    }  # fmt: skip
    assert 0 <= metrics["greet_ms"] <= metrics["task_ms"] < 10_000
    assert 10 < metrics["peak_rss_mb"] < 100_000
    assert metrics["letters"] == 3


def test_a_task_knows_when_its_call_is_killed() -> None:
    before = time.monotonic()
    ends_at = call(hurry)["metrics"]["ends_at"]

    assert before + 1 <= ends_at <= time.monotonic() + 1  # says the context of the call


def test_a_task_divides_its_work_among_the_threads_of_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hardware, "cores", lambda: 1)
    monkeypatch.setenv("MATTELINE_THREADS", "3")

    assert call(gather)["text"] == "Together!"


def test_only_the_first_call_is_a_cold_start() -> None:
    handler = task(Greet)(greet)

    assert [handler(EVENT, LAMBDA)["metrics"]["cold_start"] for _ in range(3)] == [1.0, 0.0, 0.0]


def test_a_result_says_what_produced_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTELINE_IMAGE_DIGEST", "sha256:abc")

    assert call(greet)["provenance"] == {
        "container": "greeter",
        "version": "3.2.1",
        "image_digest": "sha256:abc",
    }


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"schema": 1},
        {"schema": 2, "name": "Ada"},
        {"name": "Ada"},
        {"schema": 1, "name": "Ada", "surprise": 1},
        {"schema": 1, "name": None},
    ],
)
def test_a_job_that_breaks_its_contract_is_a_bug(event: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        task(Greet)(greet)(event, LAMBDA)


def test_running_out_of_memory_has_a_name() -> None:
    with pytest.raises(OutOfMemory):
        call(overeat)


def test_a_named_failure_keeps_its_name() -> None:
    with pytest.raises(NoSubject, match="nobody is there"):
        call(refuse)


def test_a_bug_keeps_its_own_name() -> None:
    with pytest.raises(ZeroDivisionError, match="a bug"):
        call(stumble)


@pytest.fixture
def portrait(tmp_path: Path) -> dict[str, Any]:
    """The payload of a product's last task, for a photo that is stored."""
    store, place = LocalStore(tmp_path), Location("photos", "cat.jpg")
    photo = store.write(place, b"a photo", media_type="")
    root = Path(inspect.getfile(replace_photo)).parents[2]
    equip(Workbench(root=root, settings=Settings(), store=store))
    source = Source(
        bucket="photos", key="cat.jpg", version_id=None, etag=store.stat(place).etag,
        sha256=photo.sha256, bytes=photo.bytes, media_type="image/jpeg",
    )  # fmt: skip
    return {"schema": 1, "source": source.model_dump()}


def test_a_result_is_not_published_of_a_photo_that_was_replaced_meanwhile(
    portrait: dict[str, Any],
) -> None:
    with pytest.raises(SourceChanged, match="replaced before its result was published"):
        task(Portray)(replace_photo)({**portrait, "follows_latest": True}, LAMBDA)


def test_a_result_of_a_version_that_a_user_named_is_published_all_the_same(
    portrait: dict[str, Any],
) -> None:
    made = task(Portray)(replace_photo)({**portrait, "follows_latest": False}, LAMBDA)

    assert made["text"] == "Look!"


def test_a_deployment_can_set_everything(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "MATTELINE_CATALOGUE": "/one.toml:/two.toml",
            "MATTELINE_WEIGHTS_MIRROR": "/mirror",
            "MATTELINE_ACCEPTED_LICENCES": " CC-BY-NC-4.0  LicenseRef-Lab ",
            "MATTELINE_SCRATCH": str(tmp_path),
            "MATTELINE_IMAGE_DIGEST": "sha256:abc",
            "HTTPS_PROXY": "http://proxy.example:3128",
            "no_proxy": "localhost",
            "HF_ENDPOINT": "https://hub.example",
        }
    )

    assert Proxies.from_environment(settings.environment) == Proxies(
        {"https": "http://proxy.example:3128", "no": "localhost"}, "https://hub.example"
    )
    assert replace(settings, environment={}) == Settings(
        catalogue_overlays=(Path("/one.toml"), Path("/two.toml")),
        weights_mirror="/mirror",
        accepted_licences=("CC-BY-NC-4.0", "LicenseRef-Lab"),
        scratch=tmp_path,
        image_digest="sha256:abc",
    )


@pytest.mark.parametrize(
    "environment", [{}, {"MATTELINE_CATALOGUE": "", "MATTELINE_WEIGHTS_MIRROR": ""}]
)
def test_a_deployment_need_set_nothing(environment: dict[str, str]) -> None:
    assert replace(Settings.from_environment(environment), environment={}) == Settings()


def test_a_task_sees_the_catalogue_of_its_deployment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = (Path(__file__).parent / "containers" / "greeter" / "models.toml").read_text()
    own = shipped[shipped.index("[[models]]") :].replace("polite", "curt").replace("MIT", "0BSD")
    (tmp_path / "own.toml").write_text(own)
    monkeypatch.setenv("MATTELINE_CATALOGUE", str(tmp_path / "own.toml"))

    assert call(licence, {"schema": 1, "name": "polite"})["text"] == "MIT"
    assert call(licence, {"schema": 1, "name": "curt"})["text"] == "0BSD"
    with pytest.raises(UnknownModel):
        call(licence, {"schema": 1, "name": "huge"})
