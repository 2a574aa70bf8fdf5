"""Whatever is asked of faces has one named end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest

from tests.hostile.case import Note
from tests.hostile.faces.desk import EMBEDDER, FACES, FaceDesk
from tests.hostile.requests import INPUTS, INVALID, Asked, nested
from tests.pictures import png
from tests.pipeline.photo.pictures import drawn

OTHER: Final = "OtherProduct"
PHOTO: Final = png(drawn())
EVENT: Final = {
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "photos"}, "object": {"key": "us.jpg"}},
}
_NUMBERS: Final[tuple[Any, ...]] = (
    None,
    "",
    "x",
    [],
    {},
    True,
    float("nan"),
    float("inf"),
    -1,
    10**400,
)
WRONG: Final[dict[str, tuple[Any, ...]]] = {
    "model": (None, 1, True, [], {}, ["squares"]),
    "embedder": (1, True, [], {}),
    "attributes": (None, 1, True, {}, "mood", ["mood"], ["age"], [1], [None], [[]], "age_gender"),
    "min_score": (*_NUMBERS, 0, 0.049, 1.01),
    "max_faces": (*_NUMBERS, 0, 501, 1.5),
    "small_faces": (None, 2, "maybe", [], {}),
    "preview": (None, 2, "maybe", [], {}),
    "redact": (0, True, "", "paint", "BLUR", "blur\0", [], {}, ["blur"]),
    "embed": (None, 2, "maybe", [], {}),
    "crop": (True,),  # of cutouts
    "product": ("faces",),
    "__class__": (1,),
    "\ud800": (1,),
}
# Metadata of an upload, which S3's event started.
METADATA: Final[dict[str, tuple[dict[str, str], str]]] = {
    "faces": ({"matteline-product": "faces"}, FACES),
    "in blanks": ({"matteline-product": " faces "}, FACES),
    "in words of RFC 2047": ({"matteline-product": "=?UTF-8?Q?faces?="}, FACES),
    "with an underscore": ({"matteline_product": "faces"}, FACES),
    "cutout": ({"matteline-product": "cutout"}, OTHER),
    "transcript": ({"matteline-product": "transcript"}, OTHER),
    "shouted": ({"matteline-product": "FACES"}, INVALID),
    "misspelt": ({"matteline-product": "face"}, INVALID),
    "empty": ({"matteline-product": ""}, INVALID),
    "two": ({"matteline-product": "faces,cutout"}, INVALID),
    "two spellings": ({"matteline-product": "faces", "matteline_product": "faces"}, INVALID),
    "a path": ({"matteline-product": "../faces"}, INVALID),
    "an expression": ({"matteline-product": "States.Format('{}')"}, INVALID),
    "1,500 letters": ({"matteline-product": "x" * 1_500}, INVALID),
    "an option of cutouts": ({"matteline-product": "faces", "matteline-crop": "true"}, INVALID),
    "an option of faces": ({"matteline-product": "faces", "matteline-redact": "blur"}, FACES),
    "options of nobody's": ({"matteline-speed": "9"}, FACES),  # they are for the cutout
}


def asked() -> Iterator[Asked]:
    for option, values in WRONG.items():
        for value in values:
            yield Asked(f"{option!r}: {value!r:.40}", {"options": {option: value}}, INVALID)
    for name, fields in INPUTS.items():
        yield Asked(name, fields, INVALID)
    for name, (metadata, end) in METADATA.items():
        yield Asked(f"product: {name}", EVENT, end, metadata)
    yield Asked("an embedder for nothing", {"options": {"embedder": EMBEDDER}}, INVALID)
    yield Asked("an unknown detector", {"options": {"model": "ssd"}}, "UnknownModel")
    yield Asked("an embedder that detects", {"options": {"model": EMBEDDER}}, "UnknownModel")
    yield Asked(
        "a detector that embeds",
        {"options": {"embed": True, "embedder": "squares"}},
        "UnknownModel",
    )
    yield Asked("options 900 deep", {"options": {"attributes": nested(900)}}, INVALID)
    yield Asked("an attribute often", {"options": {"attributes": ["expressions"] * 9}}, FACES)


@pytest.mark.parametrize("case", list(asked()), ids=lambda case: ascii(case.name))
def test_whatever_is_asked_has_one_named_end(
    s3_face_desk: FaceDesk, case: Asked, record_property: Note
) -> None:
    s3 = boto3.client("s3")
    s3.put_object(Bucket="photos", Key="us.jpg", Body=PHOTO, Metadata=case.metadata)
    fields = {"bucket": "photos", "key": "us.jpg"}

    end = s3_face_desk.run(case.fields if case.fields is EVENT else fields | case.fields)

    record_property("end", end.name)
    assert end.name == case.end, end.message
    if end.name != FACES:
        assert 0 < len(end.message) <= 1_000
    if end.name == OTHER:
        assert end.message.partition(":")[0] in {"cutout", "transcript"}
