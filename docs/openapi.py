"""Writes the API's description to `containers/http_api/openapi.json`; run by `make docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from containers.http_api.api import build_api
from containers.http_api.openapi import DOCUMENT, make_document
from pipeline.workbench import Settings


def render() -> str:
    """Return the description of every route, as JSON."""
    api = build_api(Path(__file__).parents[1], Settings())
    return json.dumps(make_document(api.routes), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT} is written\n")
