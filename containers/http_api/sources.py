"""Give the address of the recording of a transcript, for a player."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict

from containers.http_api.current import Current
from containers.http_api.errors import NoSource
from containers.http_api.views import LASTS, STATES
from pipeline.contracts.transcript import SourceRecording
from pipeline.operations.following import result_of
from pipeline.operations.jobs_table import DONE
from pipeline.operations.lookup import is_stored
from pipeline.operations.presigning import presign_get
from pipeline.operations.verdicts import DUPLICATE

_PRODUCT: Final = "transcript"


class SourceFile(BaseModel):
    """The recording of a job, in the version that the job read.

    `url` is its address, which needs no signature until it expires.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    url: str
    expires_at: datetime
    media_type: str
    bytes: int


def add_sources(api: APIGatewayHttpResolver, current: Current) -> None:
    @api.get(
        "/jobs/<name>/source",
        operation_id="getSource",
        summary="Give an address of the recording of a transcript.",
        tags=["Jobs"],
        response_description="The recording and its address",
    )
    def get_source(name: str) -> SourceFile:
        return _describe(current, _find(current, name))


def _find(current: Current, name: str) -> SourceRecording:
    """Return the source that a job's record states. Raises NoSource without one that is there."""
    site, found = current.site, current.find_job(name)
    if found.state not in {DONE, DUPLICATE}:
        raise NoSource(f"it is {STATES[found.state]}")
    result = result_of(site, found)
    if result is None:
        raise NoSource("its results were deleted or replaced")
    if result.stated.get("product") != _PRODUCT:
        raise NoSource("it is not of a recording")
    source = SourceRecording.model_validate(result.stated["source"])
    place, own = source.location, site.names.bucket("ingest")
    if place.bucket != own or not place.key.startswith(current.principal.visible):
        raise NoSource("you did not upload its recording")
    if not is_stored(site, place):
        raise NoSource("its recording was deleted")
    return source


def _describe(current: Current, source: SourceRecording) -> SourceFile:
    return SourceFile(
        name=source.key.rpartition("/")[2],
        url=presign_get(
            current.site,
            source.location,
            lasts=LASTS,
            media_type=source.media_type,
            inline=True,
        ),
        expires_at=datetime.now(UTC).replace(microsecond=0) + LASTS,
        media_type=source.media_type,
        bytes=source.bytes,
    )
