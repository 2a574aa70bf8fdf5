"""Stand-ins for docker and make on a build's PATH.

`docker push` puts an image into the registry at AWS_ENDPOINT_URL. Each call is appended to the file
CALLS, and fails if FAILS, a regular expression, matches its beginning.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Final

import boto3

VERDICT: Final = {"passed": True, "seen": {"size": [120, 120, 4]}, "seconds": 0.1}


def manifest(tag: str) -> str:
    """Return the manifest of an image, which differs by tag, as content does."""
    layer = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}",
        "size": 1,
    }
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "layers": [layer],
        }
    )


def install(folder: Path) -> Path:
    """Write executables `docker` and `make` into `folder`."""
    folder.mkdir()
    for name in ("docker", "make"):
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -m {__name__} {name} "$@"\n')
        path.chmod(0o755)
    return folder


def main(tool: str, *arguments: str) -> int:
    call = " ".join((tool, *arguments))
    with Path(os.environ["CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(f"{call}\n")
    match (tool, *arguments):
        case ("docker", "push", image):
            _push(image)
        case ("docker", "run", *_):
            _run()
        case ("docker", "login", *_):
            sys.stdin.read()
    fails = os.environ.get("FAILS")
    return int(fails is not None and re.match(fails, call) is not None)


def _run() -> None:
    """Print what an image's self-test prints: the handler's log, then its verdict."""
    container = os.environ["CONTAINER"]
    verdict = json.dumps({"selftest": container, **VERDICT})
    sys.stdout.write(os.environ.get("SAYS", f'{{"level": "INFO"}}\n{verdict}') + "\n")


def _push(image: str) -> None:
    repository, _, tag = image.partition("/")[2].rpartition(":")
    ecr = boto3.client("ecr")
    ecr.put_image(repositoryName=repository, imageTag=tag, imageManifest=manifest(tag))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
