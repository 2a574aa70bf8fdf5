"""Write the faces of a photo as the product's document."""

from __future__ import annotations

import json
from typing import Final

from pipeline.contracts.faces import FacesDocument

ESTIMATED: Final = (
    "Age, gender and expression are a network's estimates from one picture. They are often wrong, "
    "and say nothing about who somebody is or how somebody feels."
)


def to_json(document: FacesDocument) -> bytes:
    """Return the document as JSON. A face has no field for what was not asked for."""
    fields = document.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps({"estimated": None} | fields, separators=(",", ":")).encode()
