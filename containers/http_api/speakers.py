"""Read and replace the names that users give to the speakers of a transcript."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Header

from containers.http_api.current import Current
from containers.http_api.cursors import MOST_LISTED
from containers.http_api.errors import (
    IfMatchMissing,
    InvalidRequest,
    NamesChanged,
    NoSpeakers,
    WrongField,
    WrongFields,
)
from containers.http_api.views import STATES, speakers_of
from pipeline.operations import speaker_names
from pipeline.operations.following import result_of
from pipeline.operations.jobs_table import DONE, JobRow, JobsTable
from pipeline.operations.verdicts import DUPLICATE

_MOST_NAMES: Final = 20  # as many speakers as a recording may have
_LONGEST: Final = 80  # characters
_CONTROLS: Final = {"Cc", "Zl", "Zp"}  # Unicode categories: controls, line and paragraph separators
_DIRECTIONS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=r'^(W/)?"[0-9A-Za-z-]{1,100}"$',
        description="The `etag` of the names to replace. Without it, nothing is stored.",
    ),
]
NewNames = Annotated[
    dict[str, str],
    Body(
        description="A name for each speaker, of at most 80 characters; an empty one removes it.",
        max_length=_MOST_NAMES,
    ),
]


def add_speakers(api: APIGatewayHttpResolver, current: Current) -> None:
    desk = _Desk(current)

    @api.get(
        "/jobs/<name>/speakers",
        operation_id="getSpeakerNames",
        summary="Read the names given to the speakers of a transcript.",
        tags=["Jobs"],
        response_description="The names of the speakers who have one; `etag` is their version",
    )
    def get_speaker_names(name: str) -> dict[str, str]:
        return desk.names(name)

    @api.put(
        "/jobs/<name>/speakers",
        operation_id="putSpeakerNames",
        summary="Replace the names of the speakers of a transcript.",
        tags=["Jobs"],
        response_description="The names as they were stored; `etag` is their version",
    )
    def put_speaker_names(name: str, names: NewNames, if_match: IfMatch = None) -> dict[str, str]:
        return desk.replace(name, names, if_match)


@dataclass(frozen=True)
class _Desk:
    """What the routes do, for the caller of the current request."""

    current: Current

    def names(self, name: str) -> dict[str, str]:
        row, known = self._transcript(name)
        found = speaker_names.read_names(self.current.site, row.manifest, row.job_id)
        self._tell(found.version)
        return {speaker: found.names[speaker] for speaker in known if speaker in found.names}

    def replace(self, name: str, asked: Mapping[str, str], if_match: str | None) -> dict[str, str]:
        row, known = self._transcript(name)
        names = {speaker: text.strip() for speaker, text in asked.items()}
        if wrong := list(_wrong(names, known))[:MOST_LISTED]:
            raise WrongFields(InvalidRequest(wrong[0].detail), *wrong)
        if if_match is None:
            raise IfMatchMissing("the header `if-match` is missing")
        site, stored = self.current.site, {each: names[each] for each in known if names.get(each)}
        try:
            version = speaker_names.write_names(
                site, row.manifest, row.job_id, stored, version=if_match.strip('W/"')
            )
        except speaker_names.NamesChanged as error:
            raise NamesChanged("the names are no longer of the version in `if-match`") from error
        now = JobsTable(site).row(row.job_id)
        if now is None or now.status != DONE:  # its results may have been deleted meanwhile
            speaker_names.delete_names(site, row.manifest, row.job_id)
            raise NoSpeakers("it is no longer done")
        self._tell(version)
        return stored

    def _transcript(self, name: str) -> tuple[JobRow, Sequence[str]]:
        """Return a job's row and the speakers of its transcript. Raises NoSpeakers without any."""
        found = self.current.find_job(name)
        if found.state not in {DONE, DUPLICATE} or found.row is None:
            raise NoSpeakers(f"it is {STATES[found.state]}")
        result = result_of(self.current.site, found)
        if result is None:
            raise NoSpeakers("its results were deleted or replaced")
        if not result.record.key.startswith(self.current.principal.visible):
            raise ValueError(f"{result.record.uri} is a record outside of its owner's keys")
        if result.stated.get("speakers") is None:
            raise NoSpeakers("its speakers were not told apart")
        return found.row, [each.speaker for each in speakers_of(result)]

    def _tell(self, version: str) -> None:
        self.current.headers["ETag"] = f'"{version}"'


def _wrong(names: Mapping[str, str], known: Sequence[str]) -> Iterator[WrongField]:
    """Yield what is wrong with each name."""
    for speaker, name in names.items():
        field = f"body.{speaker:.100}"
        if speaker not in known:
            yield WrongField(field=field, detail=f"the recording has no speaker {speaker!r:.100}")
        elif len(name) > _LONGEST:
            yield WrongField(field=field, detail=f"a name has at most {_LONGEST} characters")
        elif any(unicodedata.category(each) in _CONTROLS or each in _DIRECTIONS for each in name):
            yield WrongField(field=field, detail="a name has no control characters")
        elif name and all(unicodedata.category(each) == "Cf" for each in name):
            yield WrongField(field=field, detail="a name has a character that can be seen")
