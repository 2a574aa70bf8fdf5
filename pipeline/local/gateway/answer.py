"""Turn what a function returned into a response, as API Gateway does."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

_LOWEST: Final = 100  # statuses of HTTP
_HIGHEST: Final = 599
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP, before the gateway's own headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


def read_answer(payload: bytes) -> Reply | None:
    """Read a function's answer; None if API Gateway would not accept it."""
    try:
        answer = json.loads(payload)
        return _described(answer) if _has_status(answer) else _whole(answer)
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError):
        return None


def _has_status(answer: object) -> bool:
    return isinstance(answer, dict) and "statusCode" in answer


def _whole(answer: object) -> Reply:
    """Return an answer without a status as the body of a response, as API Gateway does."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return Reply(HTTPStatus.OK, text.encode(), {"content-type": "application/json"})


def _described(answer: Mapping[str, Any]) -> Reply:
    status = int(answer["statusCode"])
    if not _LOWEST <= status <= _HIGHEST:
        raise ValueError(f"{status} is no status")
    return Reply(
        status,
        _bytes_of(answer.get("body") or "", encoded=answer.get("isBase64Encoded", False)),
        {"content-type": "text/plain;charset=UTF-8"} | _plain(answer.get("headers") or {}),
        tuple(map(_one_line, answer.get("cookies") or ())),
    )


def _plain(headers: Mapping[str, object]) -> dict[str, str]:
    return {
        _token(name).lower(): _one_line(text if isinstance(text, str) else json.dumps(text))
        for name, text in headers.items()
    }


def _token(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    return name


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"a header with a control character: {text!r}")
    text.encode("latin-1")  # HTTP has no other characters
    return text


def _bytes_of(body: str, *, encoded: bool) -> bytes:
    if not encoded:
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("the body is not base64") from error


def message(status: HTTPStatus, text: str) -> Reply:
    """Return an answer of the gateway's own."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Reply(status, body, {"content-type": "application/json"})
