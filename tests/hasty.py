"""The shipped state machines with nothing changed but their patience."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.declared.blueprint import Blueprint


def hasty(
    blueprint: Blueprint, folder: Path, *, wait_s: int = 1, most_tries: int | None = None
) -> Blueprint:
    """Its machines copied to `folder`: waits take `wait_s`, and retries come after a second."""
    hook = functools.partial(_hasty, wait_s=wait_s, most_tries=most_tries)
    for path in blueprint.state_machines.iterdir():
        content = path.read_text()
        if path.name.endswith(".asl.json"):
            content = json.dumps(json.loads(content, object_hook=hook))
        (folder / path.name).write_text(content)
    return replace(blueprint, state_machines=folder)


def _hasty(value: dict[str, Any], *, wait_s: int, most_tries: int | None) -> dict[str, Any]:
    if value.get("Type") == "Wait":
        return value | {"Seconds": wait_s}
    if "IntervalSeconds" not in value:
        return value
    soon = {"IntervalSeconds": 1, "BackoffRate": 1, "MaxDelaySeconds": 1}
    return value | soon | {"MaxAttempts": min(value["MaxAttempts"], most_tries or 100)}
