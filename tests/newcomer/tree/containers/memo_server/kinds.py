"""The kinds of words that memos are searched for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.observed import Call


@dataclass(frozen=True)
class Kinds:
    names: tuple[str, ...]

    def answer(self, request: dict[str, Any], call: Call) -> dict[str, Any]:
        call.logger.append_keys(path=request["rawPath"])
        body = json.dumps({"kinds": self.names})
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}


def read_kinds(root: Path) -> Kinds:
    text = (root / "containers" / "memo_server" / "kinds.txt").read_text(encoding="utf-8")
    return Kinds(tuple(text.split()))
