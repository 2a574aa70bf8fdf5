"""Parse the addresses of weights: https, `hf://`, `s3://` and `file:`."""

import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator

_SHAPES: Final = {
    "hf": re.compile(r"hf://(?P<repository>[^/@]+/[^/@]+)@(?P<revision>[^/]+)/(?P<path>[^/].*)"),
    "s3": re.compile(r"s3://[^/]+/.+"),
}
_WRITTEN: Final = {"hf": "hf://owner/repository@revision/path", "s3": "s3://bucket/key"}


def _well_formed(address: str) -> str:
    scheme = address.partition(":")[0]
    if scheme in _SHAPES and not _SHAPES[scheme].fullmatch(address):
        raise ValueError(f"{address!r} is not written {_WRITTEN[scheme]}")
    return address


Address = Annotated[str, AfterValidator(_well_formed)]


def hub_url(address: str, hub: str) -> str:
    """Return the URL at which `hub` serves an `hf://` address; a slash in a revision is %2F."""
    match = _SHAPES["hf"].fullmatch(address)
    if match is None:
        raise ValueError(f"{address!r} is not written {_WRITTEN['hf']}")
    path = quote(match["path"])
    return f"{hub.rstrip('/')}/{match['repository']}/resolve/{match['revision']}/{path}"


def rooted(address: str, folder: Path) -> str:
    """Return a relative `file:` address as an absolute one below `folder`; any other as it is."""
    scheme, _, path = address.partition(":")
    return (folder / path).as_uri() if scheme == "file" and not path.startswith("/") else address


def without_credentials(address: str) -> str:
    """Return the address without user, password and signature, for logs and messages."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"}:
        return address
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
