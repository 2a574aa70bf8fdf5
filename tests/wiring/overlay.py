"""The one thing replaced in a template: the image of a function, by the same handler unpacked."""

from __future__ import annotations

import copy
import io
import json
import re
import shlex
import sys
import zipfile
from typing import Any, Final

from tests.conftest import ROOT
from tests.wiring.assembly import Template

_REPOSITORY: Final = re.compile(r"/matteline/([a-z-]+)@sha256:")
_BOOTSTRAP: Final = f"""#!/bin/sh
cd {shlex.quote(str(ROOT))}
exec {shlex.quote(sys.executable)} -m awslambdaric "$_HANDLER"
"""


def bootstrap() -> bytes:
    """A zip whose `bootstrap` is what Lambda starts: the images' runtime client, from here."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, _BOOTSTRAP)
    return content.getvalue()


def with_code(template: Template, *, bucket: str, key: str) -> Template:
    """The template with every image replaced by the zip at `bucket` and `key`."""
    overlaid = copy.deepcopy(template)
    for resource in overlaid["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            properties = resource["Properties"]
            if properties.pop("PackageType", "Zip") == "Image":
                properties["Handler"] = _handler(properties["Code"])
            properties["Runtime"] = "provided.al2023"
            properties["Code"] = {"S3Bucket": bucket, "S3Key": key}
    return overlaid


def _handler(code: Any) -> str:
    """What the image's own entry point names, by the repository it comes from."""
    found = _REPOSITORY.search(json.dumps(code))
    assert found, f"not an image of ours, by digest: {code}"
    return f"containers.{found[1].replace('-', '_')}.handler.handler"
