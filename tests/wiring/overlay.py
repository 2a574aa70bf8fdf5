"""Replace the image of each function in a template by the same handler in a zip."""

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
    """Return a zip whose `bootstrap` starts the images' runtime client in this checkout."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, _BOOTSTRAP)
    return content.getvalue()


def with_code(template: Template, *, bucket: str, key: str) -> Template:
    """Return the template with every function's code replaced by the zip at `bucket` and `key`."""
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
    """Return the handler of an image, derived from its repository."""
    found = _REPOSITORY.search(json.dumps(code))
    assert found, f"not a digest of a matteline image: {code}"
    return f"containers.{found[1].replace('-', '_')}.handler.handler"
