"""An upload may ask for another product than the one that its name starts."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.media_inspector.inspection import inspect_media
from containers.media_inspector.options import Profile, product_asked
from pipeline.artifacts import LocalStore, Location, Stat
from pipeline.contracts.contract import Inspected, InspectMedia
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.products import Product, load_products
from pipeline.errors import InvalidOptions, OtherMedia, OtherProduct, UnsupportedMedia
from tests.conftest import ROOT
from tests.containers.media_inspector.inspecting import jpeg

CATALOGUE: Final = load_catalogue(ROOT)
PRODUCTS: Final = load_products(ROOT)
PLACE: Final = Location("photos", "people/us.jpg")
FLAC: Final = b"fLaC" + bytes(64)
FACES: Final = {"product": "faces"}
DEFAULTS: Final = {
    "cutout": {"mask": "u2netp"},
    "faces": {"detector": "face-api-ssd", "embedder": "face-api-resnet34"},
    "transcript": {"voice": "silero-vad", "speech": "whisper-base"},
}


class Shelf(LocalStore):
    """A folder whose objects all have one metadata."""

    metadata: dict[str, str]

    def stat(self, location: Location) -> Stat:
        return super().stat(location)._replace(metadata=self.metadata)


@pytest.fixture
def store(tmp_path: Any) -> Shelf:
    store = Shelf(tmp_path)
    store.write(PLACE, jpeg(), media_type="image/jpeg")
    store.metadata = {}
    return store


def inspect(  # noqa: PLR0913 - keyword-only options
    store: Shelf,
    machine: str,
    metadata: dict[str, str] | None = None,
    *,
    uploaded: bool = True,
    hands_over_requests: bool = True,
    products: tuple[Product, ...] = PRODUCTS,
    profiles: tuple[Profile, ...] = (),
) -> Inspected:
    """Ask the inspector as a product's machine does. `metadata` are less `matteline-`."""
    store.metadata = {f"matteline-{name}": text for name, text in (metadata or {}).items()}
    stored = {"bucket": {"name": PLACE.bucket}, "object": {"key": PLACE.key}}
    event = {"detail-type": "Object Created", "detail": stored}
    task = InspectMedia(
        schema_version=1,
        product=machine,
        input=event if uploaded else {"bucket": PLACE.bucket, "key": PLACE.key},
        execution="run-1",
        default_models=DEFAULTS[machine],
        lease_s=600,
        hands_over=True,
        hands_over_requests=hands_over_requests,
    )
    return inspect_media(task, store, CATALOGUE, products, profiles)


@pytest.mark.parametrize("product", ["faces", "transcript"])
def test_an_upload_that_asks_for_another_product_is_its(store: Shelf, product: str) -> None:
    with pytest.raises(OtherProduct) as raised:
        inspect(store, "cutout", {"product": product, "speed": "9"})  # whose option, it will say

    assert raised.value.message.startswith(f"{product}: ")


def test_the_message_begins_with_the_state_machine_of_the_product(store: Shelf) -> None:
    """It is what `ReadRequest` and `NameRequestedMachine` read."""
    products = tuple(
        each.model_copy(update={"machine": "find-faces"}) if each.name == "faces" else each
        for each in PRODUCTS
    )

    with pytest.raises(OtherProduct, match=r"^find-faces: .* asks for faces"):
        inspect(store, "cutout", FACES, products=products)


def test_another_product_is_asked_for_before_the_content_is_looked_at(store: Shelf) -> None:
    store.write(PLACE, FLAC, media_type="audio/flac")

    with pytest.raises(OtherProduct):
        inspect(store, "cutout", FACES)


def test_a_state_machine_that_cannot_hand_over_refuses(store: Shelf) -> None:
    with pytest.raises(InvalidOptions, match=r"cutout cannot hand over .* which asks for faces"):
        inspect(store, "cutout", FACES, hands_over_requests=False)


def test_who_started_a_state_machine_has_chosen_and_metadata_are_for_the_other(
    store: Shelf,
) -> None:
    found = inspect(store, "cutout", {**FACES, "redact": "blur"}, uploaded=False)

    assert type(found.job).__name__ == "CutoutJob"


@pytest.mark.parametrize(
    ("product", "metadata", "preview"),
    [
        ("faces", {"product": "faces", "preview": "true"}, True),
        ("faces", {"preview": "true"}, False),  # of the product that the name starts
        ("faces", {"crop": "true"}, False),
    ],
)
def test_a_product_on_request_reads_options_only_if_the_metadata_name_it(
    store: Shelf, product: str, metadata: dict[str, str], *, preview: bool
) -> None:
    options = inspect(store, product, metadata).job.options

    assert options.model_dump()["preview"] is preview


def test_a_product_on_request_has_profiles(store: Shelf) -> None:
    profile = Profile(product="faces", prefix="people/", options={"redact": "cover"})

    options = inspect(store, "faces", profiles=(profile,)).job.options

    assert options.model_dump()["redact"] == "cover"


def test_the_name_of_a_product_is_no_option_of_it(store: Shelf) -> None:
    assert _cropped(inspect(store, "cutout", {"product": "cutout", "crop": "true"}))
    with pytest.raises(InvalidOptions, match="object metadata: crop"):
        inspect(store, "faces", {**FACES, "crop": "true"})


def test_what_asks_for_a_product_is_not_handed_on_to_a_third(store: Shelf) -> None:
    store.write(PLACE, FLAC, media_type="audio/flac")

    with pytest.raises(OtherMedia):
        inspect(store, "faces")
    with pytest.raises(UnsupportedMedia, match="not a photo, but a recording"):
        inspect(store, "faces", FACES)


def _cropped(found: Inspected) -> bool:
    return bool(found.job.options.model_dump()["crop"])


@given(
    st.sampled_from([jpeg(), FLAC, b"%PDF-1.7", b""]),
    st.sampled_from([None, *DEFAULTS]),
    st.sampled_from(["cutout", "transcript"]),
)
def test_every_upload_has_one_execution_that_keeps_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, asked: str | None, first: str
) -> None:
    """However it is handed over, it comes to no state machine twice: names there are taken."""
    store = Shelf(tmp_path_factory.mktemp("store"))
    store.write(PLACE, content, media_type="")
    machine = first
    seen: list[str] = []
    metadata = {"product": asked} if asked else {}
    while machine:
        assert machine not in seen
        seen.append(machine)
        try:
            inspect(store, machine, metadata)
        except OtherProduct as error:
            machine = error.message.partition(":")[0]
        except OtherMedia:
            machine = "cutout" if machine == "transcript" else "transcript"
        except UnsupportedMedia:
            machine = ""
        else:
            machine = ""
    assert not asked or seen[-1] == asked


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"matteline-product": "face"}, "there is no product 'face'; did you mean 'faces'?"),
        ({"matteline-product": "xyz"}, "'xyz'; there is cutout, faces, transcript"),
        (
            {"matteline-product": "faces", "Matteline_Product": "faces"},
            "product: there are two values",
        ),
    ],
)
def test_a_product_that_there_is_not_is_named(metadata: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidOptions) as raised:
        product_asked(metadata, PRODUCTS)

    assert says in raised.value.message


def test_work_of_faces_is_in_a_folder_of_its_own(store: Shelf) -> None:
    faces, cutout = (inspect(store, product).job for product in ("faces", "cutout"))

    assert faces.work_prefix.startswith(f"faces/{faces.job_id}/")
    assert cutout.work_prefix.startswith(f"{cutout.job_id}/")
