"""Sign forms and addresses with which a caller without AWS credentials reaches one object.

Nothing else in the platform does. What is signed names one exact key and expires; S3 refuses
whatever differs from it. The function's own credentials sign, so it needs the permission itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from pipeline.artifacts import Location
from pipeline.operations.site import Site


class Form(NamedTuple):
    """An upload form: POST to `url`, as `multipart/form-data`, these fields and then `file`."""

    url: str
    fields: dict[str, str]


def presign_form(
    site: Site, place: Location, *, size: int, fields: Mapping[str, str], lasts: timedelta
) -> Form:
    """Return a form that stores exactly `size` bytes at `place`, with exactly these fields.

    The key must not contain `${`: S3 would put the name of the uploaded file there.
    """
    if "${" in place.key:
        raise ValueError(f"{place.key!r} is not one exact key")
    signed = site.client("s3").generate_presigned_post(
        Bucket=place.bucket,
        Key=place.key,
        Fields=dict(fields),
        Conditions=[
            ["content-length-range", size, size],
            *({name: text} for name, text in fields.items()),
        ],
        ExpiresIn=int(lasts.total_seconds()),
    )
    return Form(signed["url"], signed["fields"])


def presign_get(
    site: Site,
    place: Location,
    *,
    lasts: timedelta,
    media_type: str | None = None,
    inline: bool = False,
) -> str:
    """Return an address at which anybody can read one object until it expires.

    S3 answers with the `media_type`, or with the one that it has of the object. An `inline` file
    is one that a browser shows or plays, whatever the upload said of it.
    """
    answers = {
        **({"VersionId": place.version_id} if place.version_id else {}),
        **({"ResponseContentType": media_type} if media_type else {}),
        **({"ResponseContentDisposition": "inline"} if inline else {}),
    }
    address: str = site.client("s3").generate_presigned_url(
        "get_object",
        Params={"Bucket": place.bucket, "Key": place.key, **answers},
        ExpiresIn=int(lasts.total_seconds()),
    )
    return address
