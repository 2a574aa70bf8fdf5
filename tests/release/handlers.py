"""New versions that start, answer, and are no good."""

from __future__ import annotations

from typing import Any


def opaque(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Cuts nothing out: the picture comes back on a white ground."""
    from containers.edge_refiner.handler import handler

    on_white = event["options"] | {"background": "#ffffff"}
    return dict(handler(event | {"options": on_white}, context))


def mislabelled(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers well, as a version that it is not."""
    from containers.media_inspector.handler import handler

    answer = dict(handler(event, context))
    return answer | {"provenance": answer["provenance"] | {"version": "0.0.1"}}


def clumsy(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    raise ZeroDivisionError("as seen in production")
