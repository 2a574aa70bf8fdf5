"""The HTTP API: each request goes to the route that its method and path name."""

from pathlib import Path

from containers.http_api.api import RestApi, build_api
from pipeline.http_handler import http_handler
from pipeline.workbench import Settings


@http_handler
def handler(root: Path, settings: Settings) -> RestApi:
    """Return the API of this deployment. Errors are answers: problems, as of RFC 9457."""
    return build_api(root, settings)
