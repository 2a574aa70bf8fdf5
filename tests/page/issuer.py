"""An OpenID Connect issuer, and the page before an API that its tokens open, as on AWS."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from werkzeug import Request, Response
from werkzeug.serving import make_server

from pipeline.declared.page import (
    CONFIGURATION,
    CONFIGURATION_TYPE,
    INDEX,
    MEDIA_TYPES,
    configuration,
    page_files,
    security_headers,
)

CLIENT: Final = "page"


@dataclass
class Issuer:
    """Signs everybody in who asks, unless it is told otherwise.

    It checks what RFC 6749 and RFC 7636 ask it to, and notes what it was asked.
    """

    address: str = ""
    redirect: str = ""
    lasts_s: int = 3600
    state: str | None = None  # sent in place of the state that was asked with
    error: str | None = None
    refuses_renewal: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)  # until when, by token
    renewals: set[str] = field(default_factory=set)

    def accepts(self, header: str | None) -> bool:
        """Return True for the header of a token that is valid now."""
        return self.tokens.get((header or "").removeprefix("Bearer "), 0) > time.time()

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        fields = {
            name: texts[0]
            for name, texts in parse_qs(
                request.get_data(as_text=True) or request.query_string.decode()
            ).items()
        }
        self.asked.append((request.path, fields))
        match request.path:
            case "/.well-known/openid-configuration":
                return _json(self.description())
            case "/authorize":
                return self._authorize(fields)
            case "/token":
                return self._token(fields)
            case "/revoke":
                self.renewals.discard(fields["token"])
                return _json({})
            case "/end":
                return _moved(fields["logout_uri"])
            case _:
                return Response("there is nothing", 404)

    def description(self) -> dict[str, str]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "revocation_endpoint": f"{self.address}/revoke",
            "end_session_endpoint": f"{self.address}/end",
        }

    def _authorize(self, fields: dict[str, str]) -> Response:
        assert fields["response_type"] == "code"
        assert fields["client_id"] == CLIENT
        assert fields["redirect_uri"] == self.redirect
        assert fields["code_challenge_method"] == "S256"
        assert "openid" in fields["scope"].split()
        code = secrets.token_urlsafe()
        self.codes[code] = fields
        answer = {"error": self.error} if self.error else {"code": code}
        answer["state"] = self.state or fields["state"]
        return _moved(f"{self.redirect}?{urlencode(answer)}")

    def _token(self, fields: dict[str, str]) -> Response:
        if fields["client_id"] != CLIENT:
            return _json({"error": "invalid_client"}, 401)
        if fields["grant_type"] == "authorization_code":
            asked = self.codes.pop(fields["code"], None)  # a code works once
            digest = hashlib.sha256(fields["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if (
                asked is None
                or challenge != asked["code_challenge"]
                or fields["redirect_uri"] != asked["redirect_uri"]
            ):
                return _json({"error": "invalid_grant"}, 400)
        elif self.refuses_renewal or fields["refresh_token"] not in self.renewals:
            return _json({"error": "invalid_grant"}, 400)
        access, renewal = secrets.token_urlsafe(), secrets.token_urlsafe()
        self.tokens[access] = time.time() + self.lasts_s
        self.renewals.add(renewal)
        return _json(
            {
                "access_token": access,
                "refresh_token": renewal,
                "token_type": "Bearer",
                "expires_in": self.lasts_s,
            }
        )


@dataclass
class Site:
    """The page's files with the headers of a deployment, and an API behind an authoriser.

    API Gateway's own refusals are no problems of the API.
    """

    folder: Path
    sign_in: dict[str, object] | None = None
    hosts: tuple[str, ...] = ()
    issuer: Issuer | None = None
    key: str = ""
    answered: list[int] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        answer = self._api(request) if request.path.startswith("/api/") else self._file(request)
        return answer(environ, start_response)

    def _file(self, request: Request) -> Response:
        name = f"/{INDEX}" if request.path == "/" else request.path
        files, headers = page_files(self.folder), security_headers(self.hosts)
        if name == f"/{CONFIGURATION}":
            body = configuration(self.sign_in)
            return Response(body, headers=headers, content_type=CONFIGURATION_TYPE)
        if name not in files:
            return Response("", 404)
        kind = MEDIA_TYPES[files[name].suffix]
        return Response(files[name].read_bytes(), headers=headers, content_type=kind)

    def _api(self, request: Request) -> Response:
        header = request.headers.get("authorization")
        if self.issuer:
            refused = None if self.issuer.accepts(header) else (401, "Unauthorized")
        else:
            refused = None if header == f"Bearer {self.key}" else (403, "Forbidden")
        self.answered.append(refused[0] if refused else 200)
        if refused:
            return _json({"message": refused[1]}, refused[0])
        return _json({"models": []})


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve at a free port of this computer; yield the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _json(body: object, status: int = 200) -> Response:
    # What an issuer allows to public clients in browsers; pages of one origin do not need it.
    shared = {"Access-Control-Allow-Origin": "*"}
    return Response(json.dumps(body), status, shared, content_type="application/json")


def _moved(address: str) -> Response:
    return Response("", 302, {"Location": address})
