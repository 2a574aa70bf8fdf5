"""S3's answer to a request that it rejects: a status, a code and a message, as XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET

_NOT_XML: Final = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Refused(Exception):
    """A request that S3 rejects. `elements` are what S3 adds to code and message."""

    def __init__(self, status: str, code: str, message: str, **elements: object) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self._elements = {"Code": code, "Message": message, **elements}

    def xml(self, request_id: str) -> bytes:
        return to_xml("Error", {**self._elements, "RequestId": request_id, "HostId": request_id})


def bad_argument(message: str, name: str, value: str = "") -> Refused:
    return Refused(
        "400 Bad Request", "InvalidArgument", message, ArgumentName=name, ArgumentValue=value
    )


def missing_field(name: str) -> Refused:
    order = "If it is specified, please check the order of the fields."
    return bad_argument(f"Bucket POST must contain a field named '{name}'.  {order}", name)


def denied(message: str, **elements: object) -> Refused:
    return Refused("403 Forbidden", "AccessDenied", message, **elements)


def bad_request(code: str, message: str, **elements: object) -> Refused:
    return Refused("400 Bad Request", code, message, **elements)


def to_xml(root: str, elements: Mapping[str, object]) -> bytes:
    """Return a document with one element for each item."""
    document = ET.Element(root)
    for name, value in elements.items():
        ET.SubElement(document, name).text = _NOT_XML.sub("\ufffd", str(value))
    content: bytes = ET.tostring(document, encoding="UTF-8", xml_declaration=True)
    return content
