"""Packages of the tests' own, and the registries that pip and npm find them in, on this machine."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import unquote

# pip's and npm's own settings: with them, a test that reaches for a package finds none.
OFFLINE: Final = {
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
    "npm_config_offline": "true",
}


def put_wheel(
    folder: Path, files: Mapping[str, bytes], *, name: str = "weights", version: str = "1.0"
) -> Path:
    """Write a wheel with these members that pip accepts."""
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def tar_gz(*entries: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    """Return a .tar.gz with these files, or entries of another kind, in order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            member = tarfile.TarInfo(entry[0])
            member.size = len(entry[1])
            archive.addfile(member, io.BytesIO(entry[1]))
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


@contextmanager
def npm_registry(packages: Mapping[tuple[str, str], bytes]) -> Iterator[str]:
    """Serve npm archives by name and version, and yield the registry's URL."""

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path).lstrip("/")
            name, _, archive = path.partition("/-/")
            versions = {version for each, version in packages if each == name}
            if archive in versions:
                body = packages[name, archive]
            elif versions and not archive:
                body = json.dumps(self._packument(name, versions)).encode()
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _packument(self, name: str, versions: set[str]) -> dict[str, object]:
            home = f"http://127.0.0.1:{server.server_port}"
            return {
                "name": name,
                "versions": {
                    version: {
                        "name": name,
                        "version": version,
                        "dist": {
                            "tarball": f"{home}/{name}/-/{version}",
                            "integrity": _integrity(packages[name, version]),
                        },
                    }
                    for version in versions
                },
            }

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _integrity(content: bytes) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
