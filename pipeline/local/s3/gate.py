"""Check upload forms and presigned requests as S3 does, before they reach moto."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import IO, TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, parse_qsl, quote, urlencode

from werkzeug.test import run_wsgi_app

from pipeline.local.moto.s3_events import created_by_form
from pipeline.local.s3.form import UploadForm
from pipeline.local.s3.object_headers import object_headers
from pipeline.local.s3.policy import Policy
from pipeline.local.s3.refusal import Refused, missing_field, to_xml
from pipeline.local.s3.signature import Account, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_IN_MEMORY: Final = 1024 * 1024  # bytes of a file that stay in memory
_ADDRESS: Final = re.compile(r"https?://[!-~]+")
_XML: Final = "application/xml"


class _Stored(NamedTuple):
    """moto's answer to the PUT of a form's file."""

    status: str
    headers: Mapping[str, str]
    body: bytes


class S3Gate:
    """WSGI middleware that rejects forms and presigned requests as S3 does, and passes on others.

    The file of a form is stored by a PUT to the application behind.
    """

    def __init__(
        self,
        app: WSGIApplication,
        account: Account,
        *,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._app = app
        self._account = account
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            if bucket := _bucket_of_form(environ):
                return self._upload(environ, start_response, bucket)
            if _is_presigned(environ):
                self._account.verify_presigned(_signed_parts(environ), now=self._clock())
        except Refused as refused:
            body = refused.xml(uuid.uuid4().hex[:16].upper())
            start_response(refused.status, _headers_of(body, _XML))
            return [body]
        return self._app(environ, start_response)

    def _upload(
        self, environ: WSGIEnvironment, start_response: StartResponse, bucket: str
    ) -> Iterable[bytes]:
        form = UploadForm(
            environ["wsgi.input"],
            content_type=environ.get("CONTENT_TYPE", ""),
            length=_length(environ),
        )
        fields = form.read_fields()
        policy = self._allowing(fields, bucket)
        headers = object_headers(fields)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            size = _receive(form, policy, file)
            put = _put(environ, bucket, fields, headers)
            stored = self._store({**put, "CONTENT_LENGTH": str(size), "wsgi.input": file})
        if not stored.status.startswith("200"):
            start_response(stored.status, _headers_of(stored.body, _XML))
            return [stored.body]
        status, answered, body = _answer(environ["HTTP_HOST"], bucket, fields, stored)
        start_response(status, answered)
        return [body]

    def _allowing(self, fields: Mapping[str, str], bucket: str) -> Policy:
        """Return the form's policy. Raises Refused unless it is signed and allows the fields."""
        if not fields.get("key"):
            raise missing_field("key")
        self._account.verify_form(fields)
        policy = Policy.parse(fields["policy"])
        policy.check_fields(fields, bucket, now=self._clock())
        return policy

    def _store(self, put: WSGIEnvironment) -> _Stored:
        with created_by_form():
            body, status, headers = run_wsgi_app(self._app, put, buffered=True)
        return _Stored(status, dict(headers), b"".join(body))


def _bucket_of_form(environ: WSGIEnvironment) -> str:
    """Return the bucket that a request sends a form to; empty for any other request.

    The POSTs of other services are signed for them, or go to `/`. S3's only other POST to a bucket
    deletes objects.
    """
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    signed_for = environ.get("HTTP_AUTHORIZATION", "/s3/")
    if environ["REQUEST_METHOD"] != "POST" or "delete" in query or "/s3/" not in signed_for:
        return ""
    path: str = environ["PATH_INFO"].strip("/")
    if path:
        return path if "/" not in path else ""
    host: str = environ.get("HTTP_HOST", "").rpartition(":")[0]
    return host.removesuffix(".localhost") if host.endswith(".localhost") else ""


def _is_presigned(environ: WSGIEnvironment) -> bool:
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return "X-Amz-Signature" in query or "Signature" in query


def _signed_parts(environ: WSGIEnvironment) -> Request:
    path, _, query = environ["REQUEST_URI"].partition("?")
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): text
        for name, text in environ.items()
        if name.startswith(("HTTP_", "CONTENT_"))
    }
    pairs = parse_qsl(query, keep_blank_values=True)
    return Request(environ["REQUEST_METHOD"], path, pairs, headers)


def _length(environ: WSGIEnvironment) -> int:
    text = environ.get("CONTENT_LENGTH", "")
    if not text.isdecimal():
        raise Refused(
            "411 Length Required",
            "MissingContentLength",
            "You must provide the Content-Length HTTP header.",
        )
    return int(text)


def _receive(form: UploadForm, policy: Policy, file: IO[bytes]) -> int:
    """Copy the form's file and return its size. Raises Refused if the policy allows no such size.

    Not more is copied than the policy allows.
    """
    size = 0
    for chunk in form.read_content():
        size += len(chunk)
        if size <= policy.largest:
            file.write(chunk)
    form.finish()
    policy.check_size(size)
    file.seek(0)
    return size


def _put(
    environ: WSGIEnvironment, bucket: str, fields: Mapping[str, str], headers: Mapping[str, str]
) -> WSGIEnvironment:
    """Return the request that stores an object, signed for the form's credential."""
    path = f"/{bucket}/{fields['key']}"
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={fields['x-amz-credential']}"}
    return {
        **{name: value for name, value in environ.items() if not name.startswith("HTTP_")},
        **{_variable(name): text for name, text in {**headers, **signed}.items()},
        "HTTP_HOST": f"127.0.0.1:{environ['SERVER_PORT']}",
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": "",
        "REQUEST_URI": quote(path),
        "RAW_URI": quote(path),
    }


def _variable(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name == "CONTENT_TYPE" else f"HTTP_{name}"


def _answer(
    host: str, bucket: str, fields: Mapping[str, str], stored: _Stored
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return status, headers and body of the answer that the form asked for."""
    key, etag = fields["key"], stored.headers["ETag"]
    location = f"http://{host}/{'' if host.startswith(f'{bucket}.') else f'{bucket}/'}"
    location += quote(key, safe="")
    told = [("ETag", etag), ("Location", location)]
    if version := stored.headers.get("x-amz-version-id"):
        told.append(("x-amz-version-id", version))
    redirect = fields.get("success_action_redirect", fields.get("redirect", ""))
    if _ADDRESS.fullmatch(redirect):
        query = urlencode({"bucket": bucket, "key": key, "etag": etag})
        address = f"{redirect}{'&' if '?' in redirect else '?'}{query}"
        return "303 See Other", [*told[:1], ("Location", address), *told[2:]], b""
    if fields.get("success_action_status") == "201":
        elements = {"Location": location, "Bucket": bucket, "Key": key, "ETag": etag}
        body = to_xml("PostResponse", elements)
        return "201 Created", [*told, *_headers_of(body, _XML)], body
    if fields.get("success_action_status") == "200":
        return "200 OK", [*told, ("Content-Length", "0")], b""
    return "204 No Content", told, b""


def _headers_of(body: bytes, media_type: str) -> list[tuple[str, str]]:
    return [("Content-Type", media_type), ("Content-Length", str(len(body)))]
