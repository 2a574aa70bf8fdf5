"""Publish the page's files to the bucket of a stage, with how its users sign in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import ClientError

from pipeline.declared.page import (
    CONFIGURATION,
    CONFIGURATION_TYPE,
    INDEX,
    MEDIA_TYPES,
    REVALIDATED,
    configuration,
    page_files,
)
from pipeline.operations.site import Site

_BUCKET: Final = "page"
_STACK: Final = "page"
_VERSION: Final = "version"
_UPLOADS: Final = "ingest"
_PATIENCE_S: Final = 10
_MOST_BYTES: Final = 256 * 1024  # of an issuer's description
# What the page asks an issuer for, by the names of OpenID Connect Discovery.
_ENDPOINTS: Final = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "revoke": "revocation_endpoint",
    "end": "end_session_endpoint",
}
_REQUIRED: Final = frozenset({"authorize", "token"})


class NotPublished(Exception):
    """The page cannot be published; the message says why and what to do."""


@dataclass(frozen=True)
class Deployed:
    """What the stack of the page says: its address, and how its users sign in."""

    address: str
    sign_in: Mapping[str, Any]


@dataclass(frozen=True)
class Publication:
    """What was published: the address, the version, and how many files were stored and deleted."""

    address: str
    version: str
    stored: int
    deleted: int


@dataclass(frozen=True)
class _File:
    key: str
    body: bytes
    media_type: str


def version_of(folder: Path) -> str:
    """Return the first 12 digits of the SHA-256 of all files with their names."""
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(f"{file.key}\0{hashlib.sha256(file.body).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def live_version(site: Site) -> str | None:
    """Return the version that was published last; None if there is none.

    Raises NotPublished if the stage has no page.
    """
    _deployed(site)
    try:
        found = site.client("s3").head_object(Bucket=site.names.bucket(_BUCKET), Key=INDEX)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return None
        raise
    version: str | None = found["Metadata"].get(_VERSION)
    return version


def publish(site: Site, folder: Path) -> Publication:
    """Store the page's files, then its index, then delete files that are no longer the page's.

    Raises NotPublished if the stage has no page, its buckets refuse the page's origin, or the
    issuer's description does not fit the deployment. Nothing is stored then.
    """
    deployed = _deployed(site)
    _require_forms(site, deployed.address)
    sign_in = sign_in_of(deployed)
    version = version_of(folder)
    files = [
        *_files(folder),
        _File(CONFIGURATION, configuration(sign_in), CONFIGURATION_TYPE),
    ]
    # The index last: it is what a visitor asks for first, and it says which version is live.
    files.sort(key=lambda file: (file.key == INDEX, file.key == CONFIGURATION, file.key))
    s3, bucket = site.client("s3"), site.names.bucket(_BUCKET)
    for file in files:
        s3.put_object(
            Bucket=bucket,
            Key=file.key,
            Body=file.body,
            ContentType=file.media_type,
            CacheControl=REVALIDATED,
            Metadata={_VERSION: version},
        )
    old = sorted(set(_stored(s3, bucket)) - {file.key for file in files})
    for key in old:
        s3.delete_object(Bucket=bucket, Key=key)
    return Publication(deployed.address, version, len(files), len(old))


def _files(folder: Path) -> list[_File]:
    return [
        _File(path.removeprefix("/"), file.read_bytes(), MEDIA_TYPES[file.suffix])
        for path, file in page_files(folder).items()
    ]


def _stored(s3: Any, bucket: str) -> Iterator[str]:  # noqa: ANN401 - made at run time
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (each["Key"] for each in page.get("Contents", []))


def _deployed(site: Site) -> Deployed:
    name = f"{site.names.prefix}-{_STACK}"
    try:
        answer = site.client("cloudformation").describe_stacks(StackName=name)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise NotPublished(
            f"there is no stack {name}: set matteline:page to true and run `make deploy`"
        ) from error
    (stack,) = answer["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    return Deployed(outputs["PageAddress"], json.loads(outputs["PageSignIn"]))


def _require_forms(site: Site, address: str) -> None:
    """Raise NotPublished if the ingest bucket takes no forms of the page."""
    bucket = site.names.bucket(_UPLOADS)
    try:
        rules = site.client("s3").get_bucket_cors(Bucket=bucket)["CORSRules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchCORSConfiguration":
            raise
        rules = []
    if not any(address in rule["AllowedOrigins"] for rule in rules):
        raise NotPublished(
            f"{bucket} takes no forms of {address}: set matteline:api_page_origin to this address "
            f"and deploy {site.names.prefix}-storage"
        )


def sign_in_of(deployed: Deployed) -> dict[str, object]:
    """Return how the page's users sign in, with the issuer's endpoints if it has one.

    Raises NotPublished if the issuer's description does not fit the deployment.
    """
    given = deployed.sign_in
    if given["kind"] != "tokens":
        return dict(given)
    issuer, origin = given["issuer"], given["token_origin"]
    described = _discover(issuer)
    if described.get("issuer") != issuer:
        raise NotPublished(f"{issuer} calls itself {described.get('issuer')}: use that name")
    endpoints = {name: described.get(field) for name, field in _ENDPOINTS.items()}
    if missing := sorted(name for name in _REQUIRED if not endpoints[name]):
        raise NotPublished(f"{issuer} describes no {_ENDPOINTS[missing[0]]}")
    for name in ("token", "revoke"):
        if endpoints[name] and _origin(str(endpoints[name])) != origin:
            raise NotPublished(
                f"the {_ENDPOINTS[name]} of {issuer} is at {_origin(str(endpoints[name]))}, and "
                f"the page may reach {origin} only: set matteline:page_token_origin and deploy "
                "the stack of the page"
            )
    return {
        "kind": "tokens",
        "issuer": issuer,
        "client_id": given["client_id"],
        "scope": given["scope"],
        "redirect": f"{deployed.address}/",
        **{name: address for name, address in endpoints.items() if address},
    }


def _discover(issuer: str) -> dict[str, Any]:
    """Read an issuer's description (OpenID Connect Discovery). Raises NotPublished without one."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        answer = urllib3.request(
            "GET", url, timeout=_PATIENCE_S, redirect=False, retries=False, preload_content=False
        )
        body = answer.read(_MOST_BYTES)
        described = json.loads(body) if answer.status == 200 else None
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise NotPublished(f"{url} cannot be read: {error}") from error
    if not isinstance(described, dict):
        raise NotPublished(f"{url} answered {answer.status}, and no description of an issuer")
    return described


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
