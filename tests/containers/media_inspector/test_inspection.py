"""An execution input becomes one job with its plan."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import pytest

from containers.media_inspector.inspection import _job_id
from pipeline.artifacts import LocalStore, Location
from pipeline.aws.s3 import S3Store
from pipeline.contracts.contract import FOREVER, PlannedModel, SourcePhoto
from pipeline.contracts.cutout import CutoutOptions
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import load_products
from pipeline.errors import SourceChanged, SourceMissing, UnknownModel
from tests.conftest import ROOT
from tests.containers.media_inspector.inspecting import CAT, arrived, etag, inspect, jpeg


def test_a_source_is_measured_upright(store: LocalStore, catalogue: Catalogue) -> None:
    source = inspect(store, catalogue).job.source

    assert source.location == CAT
    assert (source.media_type, source.width, source.height) == ("image/jpeg", 30, 40)
    assert source.sha256 == hashlib.sha256(jpeg()).hexdigest()
    assert (source.bytes, source.etag) == (len(jpeg()), etag(jpeg()))


def test_a_job_says_where_its_outputs_go(store: LocalStore, catalogue: Catalogue) -> None:
    job = inspect(store, catalogue).job

    assert job.output_stem == "trips/cat"
    assert job.record_key == "trips/cat_bg_removed.json"
    assert job.work_prefix.startswith(f"{job.job_id}/")


def test_a_job_is_leased_from_now_on(store: LocalStore, catalogue: Catalogue) -> None:
    job = inspect(store, catalogue).job

    assert int(job.held_until) - int(job.claims_before) == 600
    assert int(datetime.fromisoformat(job.inspected_at).timestamp()) == int(job.claims_before)


def test_an_input_without_wishes_gets_the_default_model(
    store: LocalStore, catalogue: Catalogue
) -> None:
    inspected = inspect(store, catalogue)

    assert inspected.job.options == CutoutOptions(model="light")
    assert int(inspected.job.claims_before) < FOREVER
    assert inspected.plan.mask == PlannedModel(
        model="light",
        weights_key=catalogue.row("light").weights_key,
        degraded=False,
        fallback=None,
    )


@pytest.mark.parametrize(
    ("asked", "job_id"),
    [
        ({"model": "u2netp"}, "09f230295656b737bf0f6dc0cda4dfa8"),
        (
            {
                "model": "u2net", "refine": "matting", "format": "webp", "effort": "small",
                "background": "#ffffff80", "crop": True, "margin": 10,
                "outputs": ["mask", "cutout"], "allow_fallback": True,
                "prompts": [{"points": [{"x": 1, "y": 2}]}],
            },
            "9d7e3c561bc7465b2cafc80cf6fca023",
        ),
    ],
)  # fmt: skip
def test_a_job_keeps_its_id_when_options_are_added(asked: dict[str, Any], job_id: str) -> None:
    """Its photo would be done again if it is uploaded again. The IDs are of an earlier release."""
    product = next(each for each in load_products(ROOT) if each.name == "cutout")
    source = SourcePhoto(
        bucket="photos", key="trips/cat.jpg", version_id="v1", etag="e", sha256="ab" * 32,
        bytes=1_234, media_type="image/jpeg", width=640, height=480,
    )  # fmt: skip

    assert _job_id(product, source, CutoutOptions.model_validate(asked)) == job_id


def test_a_model_of_another_container_is_unknown(store: LocalStore, catalogue: Catalogue) -> None:
    other = {"name": "whisper", "container": "transcriber"}
    speech = catalogue.row("light").model_copy(update=other)
    more = catalogue.model_copy(update={"rows": (speech, *catalogue.rows)})

    with pytest.raises(UnknownModel, match=r"'whisper'; there are light, strong"):
        inspect(store, more, options={"model": "whisper"})


def test_force_is_passed_on(store: LocalStore, catalogue: Catalogue) -> None:
    assert int(inspect(store, catalogue, force=True).job.claims_before) > FOREVER


@pytest.mark.parametrize(
    ("model", "allowed", "fallback"),
    [("strong", True, "light"), ("strong", False, None), ("light", True, None)],
)
def test_a_fallback_is_planned_only_where_it_is_allowed_and_exists(
    store: LocalStore, catalogue: Catalogue, model: str, *, allowed: bool, fallback: str | None
) -> None:
    plan = inspect(store, catalogue, options={"model": model, "allow_fallback": allowed}).plan.mask

    assert (plan.model, plan.degraded) == (model, False)
    assert (plan.fallback and plan.fallback.model) == fallback


def test_a_planned_fallback_is_marked_as_degraded(store: LocalStore, catalogue: Catalogue) -> None:
    plan = inspect(store, catalogue, options={"model": "strong", "allow_fallback": True}).plan.mask

    assert plan.fallback == PlannedModel(
        model="light",
        weights_key=catalogue.row("light").weights_key,
        degraded=True,
        fallback=None,
    )


def test_the_plan_says_what_each_models_output_is(store: LocalStore, catalogue: Catalogue) -> None:
    """The fallback's, too: it makes another kind of mask."""
    strong = catalogue.row("strong").model_copy(update={"output": "alpha"})
    told = catalogue.model_copy(update={"rows": (catalogue.row("light"), strong)})

    plan = inspect(store, told, options={"model": "strong", "allow_fallback": True}).plan.mask

    assert plan.output == "alpha"
    assert (plan.fallback and plan.fallback.output) == "mask"


def test_the_same_photo_with_the_same_wishes_is_the_same_job(
    store: LocalStore, catalogue: Catalogue
) -> None:
    dropped = inspect(store, catalogue, execution="run-1").job
    typed = inspect(store, catalogue, execution="run-2", options={"model": "light"}).job

    assert dropped.job_id == typed.job_id
    assert dropped.work_prefix != typed.work_prefix


def test_other_wishes_are_another_job(store: LocalStore, catalogue: Catalogue) -> None:
    one = inspect(store, catalogue).job
    another = inspect(store, catalogue, options={"crop": True}).job

    assert one.job_id != another.job_id


@pytest.mark.parametrize(("key", "colour"), [("trips/cat.jpg", "blue"), ("trips/dog.jpg", "red")])
def test_other_bytes_or_another_key_are_another_job(
    store: LocalStore, catalogue: Catalogue, key: str, colour: str
) -> None:
    one = inspect(store, catalogue).job
    store.write(Location("photos", key), jpeg(colour), media_type="image/jpeg")
    another = inspect(store, catalogue, key=key).job

    assert one.job_id != another.job_id


def test_an_event_is_answered_while_its_photo_is_there(
    store: LocalStore, catalogue: Catalogue
) -> None:
    job = inspect(store, catalogue, **arrived(etag=etag(jpeg()))).job

    assert job.source.location == CAT


def test_an_event_that_arrives_after_its_photo_was_replaced_has_a_name(
    store: LocalStore, catalogue: Catalogue
) -> None:
    with pytest.raises(SourceChanged):
        inspect(store, catalogue, **arrived(etag=etag(jpeg("blue"))))


def put(client: Any, content: bytes, **options: Any) -> str:
    answer = client.put_object(Bucket=CAT.bucket, Key=CAT.key, Body=content, **options)
    version: str = answer["VersionId"]
    return version


def test_the_version_that_was_measured_is_the_one_named(s3: Any, catalogue: Catalogue) -> None:
    put(s3, jpeg("blue"))
    newest = put(s3, jpeg())

    assert inspect(S3Store(s3), catalogue).job.source.version_id == newest


def test_an_event_is_about_its_own_version(s3: Any, catalogue: Catalogue) -> None:
    first = put(s3, jpeg("blue"))
    put(s3, jpeg("blue"))
    event = arrived(etag=etag(jpeg("blue")), **{"version-id": first})
    source = inspect(S3Store(s3), catalogue, **event).job.source

    assert source.version_id == first
    assert source.sha256 == hashlib.sha256(jpeg("blue")).hexdigest()


def test_an_event_that_comes_after_other_bytes_have_come_is_refused(
    s3: Any, catalogue: Catalogue
) -> None:
    first = put(s3, jpeg("blue"))
    put(s3, jpeg())
    event = arrived(etag=etag(jpeg("blue")), **{"version-id": first})

    with pytest.raises(SourceChanged, match="replaced before its result was published"):
        inspect(S3Store(s3), catalogue, **event)


def test_an_event_that_comes_after_the_same_bytes_with_other_options_is_refused(
    s3: Any, catalogue: Catalogue
) -> None:
    first = put(s3, jpeg())
    put(s3, jpeg(), Metadata={"matteline-crop": "true"})
    event = arrived(etag=etag(jpeg()), **{"version-id": first})

    with pytest.raises(SourceChanged):
        inspect(S3Store(s3), catalogue, **event)


def test_an_event_of_a_photo_that_was_deleted_since_is_refused(
    s3: Any, catalogue: Catalogue
) -> None:
    first = put(s3, jpeg("blue"))
    s3.delete_object(Bucket="photos", Key="trips/cat.jpg")
    event = arrived(etag=etag(jpeg("blue")), **{"version-id": first})

    with pytest.raises(SourceMissing, match=r"there is no s3://photos/trips/cat\.jpg"):
        inspect(S3Store(s3), catalogue, **event)


def test_a_version_named_by_a_user_is_read_though_the_photo_was_deleted(
    s3: Any, catalogue: Catalogue
) -> None:
    first = put(s3, jpeg("blue"))
    s3.delete_object(Bucket="photos", Key="trips/cat.jpg")

    assert inspect(S3Store(s3), catalogue, version_id=first).job.source.version_id == first


def test_a_job_follows_the_latest_version_unless_a_user_named_one(
    s3: Any, catalogue: Catalogue
) -> None:
    named = put(s3, jpeg())
    event = arrived(etag=etag(jpeg()), **{"version-id": named})
    asked: tuple[dict[str, Any], ...] = (event, {}, {"version_id": named})

    follows = [inspect(S3Store(s3), catalogue, **each).job.follows_latest for each in asked]

    assert follows == [True, True, False]


def test_a_photo_is_measured_by_one_request(s3: Any, catalogue: Catalogue) -> None:
    event = arrived(etag=etag(jpeg()), **{"version-id": put(s3, jpeg())})
    heads: list[Any] = []
    s3.meta.events.register("before-call.s3.HeadObject", lambda **asked: heads.append(asked))

    inspect(S3Store(s3), catalogue, **event)

    assert len(heads) == 1


def test_an_old_version_can_be_asked_for(s3: Any, catalogue: Catalogue) -> None:
    first = put(s3, jpeg("blue"))
    put(s3, jpeg())
    source = inspect(S3Store(s3), catalogue, version_id=first).job.source

    assert source.sha256 == hashlib.sha256(jpeg("blue")).hexdigest()


def test_metadata_of_the_object_is_a_wish(s3: Any, catalogue: Catalogue) -> None:
    put(s3, jpeg(), Metadata={"matteline-model": "strong", "matteline-outputs": "mask,cutout"})

    assert inspect(S3Store(s3), catalogue).job.options == CutoutOptions(
        model="strong", outputs=("cutout", "mask")
    )


def test_a_product_that_the_image_does_not_know_is_named(
    store: LocalStore, catalogue: Catalogue
) -> None:
    with pytest.raises(
        LookupError, match="knows no product 'memo', only cutout, faces, transcript: release"
    ):
        inspect(store, catalogue, product="memo")
