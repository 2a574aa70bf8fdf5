"""Turn the fields of an upload form into the headers of the PUT that stores its file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.charset import Charset
from typing import Final

from pipeline.local.s3.refusal import Refused, bad_argument, bad_request

_LONGEST_KEY: Final = 1_024  # bytes
_MOST_METADATA: Final = 2_048  # bytes
_METADATA: Final = "x-amz-meta-"
# WSGI writes - and _ alike, so a name with _ would be stored as another one.
_METADATA_NAME: Final = re.compile(r"[a-z0-9.-]+")
_PRINTABLE: Final = re.compile(r"[ -~]*")
_STORED: Final = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-type", "expires"}
)
_SIGNING: Final = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"}
)
_FORM_TYPES: Final = (  # moto would take the file for a form
    "multipart/form-data",
    "application/x-www-form-urlencoded",
)
_UNAVAILABLE: Final = frozenset({"acl", "tagging"})
DEFAULT_TYPE: Final = "binary/octet-stream"


def object_headers(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, by their names in small letters.

    Raises Refused for a key or metadata over S3's limits, and for fields that the local cloud does
    not support: an object must not silently lack what its form asked for.
    """
    _require_good_key(fields["key"])
    metadata = {name: text for name, text in fields.items() if name.startswith(_METADATA)}
    _require_little_metadata(metadata)
    for name in fields.keys() - metadata.keys() - _SIGNING:
        if name in _UNAVAILABLE or name.startswith("x-amz-"):
            raise Refused(
                "501 Not Implemented",
                "NotImplemented",
                f"The local cloud does not support the form field {name}.",
            )
    return {
        "content-type": DEFAULT_TYPE,
        **{name: _plain(name, fields[name]) for name in _STORED & fields.keys()},
        **{name: _encoded(text) for name, text in metadata.items()},
    }


def _require_good_key(key: str) -> None:
    if not key.isprintable():
        raise bad_argument("The local cloud supports no control characters in keys.", "key", key)
    size = len(key.encode())
    if size > _LONGEST_KEY:
        raise bad_request(
            "KeyTooLongError", "Your key is too long", Size=size, MaxSizeAllowed=_LONGEST_KEY
        )


def _require_little_metadata(metadata: Mapping[str, str]) -> None:
    for name, text in metadata.items():
        if not _METADATA_NAME.fullmatch(name):
            raise bad_argument("The local cloud supports no such metadata name.", name, text)
    size = sum(len(name) - len(_METADATA) + len(text.encode()) for name, text in metadata.items())
    if size > _MOST_METADATA:
        raise bad_request(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=size,
            MaxSizeAllowed=_MOST_METADATA,
        )


def _plain(name: str, text: str) -> str:
    if name == "content-type" and text.lower().startswith(_FORM_TYPES):
        raise bad_argument("The local cloud cannot store objects of a form's type.", name, text)
    if not _PRINTABLE.fullmatch(text):
        raise bad_argument("The local cloud supports printable ASCII only.", name, text)
    return text


def _encoded(text: str) -> str:
    """Return metadata as S3 returns it: text that is no printable ASCII is encoded by RFC 2047."""
    if _PRINTABLE.fullmatch(text):
        return text
    return Charset("utf-8").header_encode(text)
