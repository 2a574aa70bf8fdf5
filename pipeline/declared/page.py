"""The page's files, their media types and their headers: one fact for the local cloud and AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

INDEX: Final = "index.html"
CONFIGURATION: Final = "config.json"  # how users of a deployment sign in; is in no folder
CONFIGURATION_TYPE: Final = "application/json"
REVALIDATED: Final = "no-cache"  # names have no hash: a browser asks whether its copy is current
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def page_folder(root: Path) -> Path:
    """Return the folder with the page's files."""
    return root / "containers" / "http_api" / "page"


def page_files(folder: Path) -> Mapping[str, Path]:
    """Return the page's files by their paths, which begin with a slash."""
    return {
        f"/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.suffix in MEDIA_TYPES and path.is_file()
    }


def configuration(sign_in: Mapping[str, object] | None) -> bytes:
    """Return the document that tells the page how its users sign in; None if they do not."""
    return json.dumps({"sign_in": sign_in}, separators=(",", ":")).encode()


def security_headers(hosts: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of every file of the page.

    `hosts` are origins other than the page's own that it sends to and reads from. On AWS: the
    buckets' and the one at which users sign in.
    """
    own = " ".join(("'self'", *hosts))
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"{own} blob:",
        "media-src": f"{own} blob:",  # recordings: the source's address, or a file just given
        "connect-src": own,
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {text}" for name, text in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
