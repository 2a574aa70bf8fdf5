"""The errors of requests: each has a status, and a hint for whoever sent the request."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from pipeline.errors import NamedError


class RequestError(NamedError):
    """A failure of one request: of what it asks for, or of the API itself."""

    status: ClassVar[HTTPStatus]
    retry_after_s: ClassVar[int | None] = None  # when the same request may succeed


class InvalidRequest(RequestError):
    """A part of the request is missing, unknown or invalid."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    hint = "Correct the fields that `errors` names."


class UnsupportedContent(RequestError):
    """The body is of a type that the API does not read."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    hint = "Send JSON, with `content-type: application/json`."


class NoSuchPath(RequestError):
    """The API has no such path."""

    status = HTTPStatus.NOT_FOUND
    hint = "Choose a path that `GET /openapi.json` lists."


class MethodNotAllowed(RequestError):
    """The path exists, but does not take this method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    hint = "Use a method that the `allow` header of the answer names."


class NoPrincipal(RequestError):
    """The request reached the API without an authoriser that names its user."""

    status = HTTPStatus.FORBIDDEN
    hint = "Sign the request, or send the token that this deployment requires."


class NoSuchJob(RequestError):
    """The caller has no upload, job or execution of this name."""

    status = HTTPStatus.NOT_FOUND
    hint = "Ask with the id of an upload or a job of your own; `GET /jobs` lists the jobs."


class NoSuchObject(RequestError):
    """The caller has no object with this key."""

    status = HTTPStatus.NOT_FOUND
    hint = "Upload the file with a form of `POST /uploads`: that also starts its job."


class NoSpeakers(RequestError):
    """The job has no transcript in which speakers are told apart."""

    status = HTTPStatus.NOT_FOUND
    hint = "Wait until the job is done; speakers are told apart with the option `diarize`."


class NoSource(RequestError):
    """The job has no recording to play: it is not done, it was deleted, or it is of a photo."""

    status = HTTPStatus.NOT_FOUND
    hint = "Wait until the job is done, or upload the recording again."


class IfMatchMissing(RequestError):
    """The request does not say which names it replaces."""

    status = HTTPStatus.PRECONDITION_REQUIRED
    hint = "Send the header `if-match` with the `etag` of `GET /jobs/{id}/speakers`."


class NamesChanged(RequestError):
    """Somebody else has changed the names of the speakers. Nothing was stored."""

    status = HTTPStatus.PRECONDITION_FAILED
    hint = "Read the names again, and send yours with their `etag`."


class NoSuchBatch(RequestError):
    """The caller has no batch of this name, or it ended more than 90 days ago."""

    status = HTTPStatus.NOT_FOUND
    hint = "Ask with the id that `POST /batches` answered with."


class NoReport(RequestError):
    """The batch has no report of its objects: it runs, was stopped, or ended 15 days ago."""

    status = HTTPStatus.NOT_FOUND
    hint = "Wait until the batch is done; `GET /jobs` lists the jobs of its objects in any case."


class NotRunning(RequestError):
    """Nothing runs that could be cancelled."""

    status = HTTPStatus.CONFLICT
    hint = "Ask for the state with `GET /jobs/{id}` or `GET /batches/{id}`."


class NotDeletable(RequestError):
    """The job has no results that could be deleted."""

    status = HTTPStatus.CONFLICT
    hint = "Cancel a running job first; only a job that is done has results."


class NotReplayable(RequestError):
    """The job cannot be replayed in its present state."""

    status = HTTPStatus.CONFLICT
    hint = "Wait until the job has ended; replay a finished job with `force`."


class NoSuchSelection(RequestError):
    """The caller has no selection of this name."""

    status = HTTPStatus.NOT_FOUND
    hint = "Ask with the id that `POST /selections` answered with."


class SelectionNotReady(RequestError):
    """The photo of the selection is still being prepared."""

    status = HTTPStatus.CONFLICT
    retry_after_s = 2
    hint = "Send the request again in some seconds, or with the header `prefer: wait=10`."


class SelectionExpired(RequestError):
    """The selection is over, or what was prepared for it is gone."""

    status = HTTPStatus.GONE
    hint = "Prepare the photo again with `POST /selections`; the same points are valid."


class SelectionFailed(RequestError):
    """The photo could not be prepared or its model did not answer, and neither is at fault."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    hint = "Prepare the photo again with `POST /selections`; if that fails, ask an operator."


class ModelBusy(RequestError):
    """The model's function answers other requests, or has not answered in time."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_s = 2
    hint = "Send the request again in some seconds."


class OperatorsOnly(RequestError):
    """Only operators manage collections."""

    status = HTTPStatus.FORBIDDEN
    hint = "Ask an operator, or send the request with a token or key that has an operator's scope."


class NoSuchAction(RequestError):
    """The collection has no action of this id, or it ended more than 90 days ago."""

    status = HTTPStatus.NOT_FOUND
    hint = "Ask with the id that the request which started the action was answered with."


class NoVectors(RequestError):
    """The job has no vectors: `faces` makes them of large, clear faces, with the option `embed`."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    hint = "Start a job of the product `faces` with the option `embed`, and wait until it is done."


class IndexBusy(RequestError):
    """The function that searches collections answers others, or has not answered in time."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_s = 2
    hint = "Send the request again in some seconds: a large collection is loaded by then."


class NoSuchMachine(RequestError):
    """The deployment has no state machine of this name."""

    status = HTTPStatus.NOT_FOUND
    hint = "Choose a machine that `GET /console/machines` lists."


class NoSuchExecution(RequestError):
    """The state machine has no execution of this name, or it ended more than 90 days ago."""

    status = HTTPStatus.NOT_FOUND
    hint = "Choose an execution that `GET /console/executions` lists."


class NotStartable(RequestError):
    """Operators cannot start this state machine here."""

    status = HTTPStatus.CONFLICT
    hint = "Choose a machine that is `startable` in `GET /console/machines`."


class ExecutionExists(RequestError):
    """The state machine has had another execution of this name."""

    status = HTTPStatus.CONFLICT
    hint = "Choose another name, or leave it out."


class ExecutionEnded(RequestError):
    """The execution has ended: there is nothing to stop."""

    status = HTTPStatus.CONFLICT
    hint = "Replay it, or start its machine again."


class NotStoppable(RequestError):
    """Operators cannot stop executions of this state machine here."""

    status = HTTPStatus.CONFLICT
    hint = "Wait until it ends: it may hold a claim, or have begun what must be completed."


class NotRedrivable(RequestError):
    """The execution cannot go on where it failed."""

    status = HTTPStatus.CONFLICT
    hint = "Replay it: that starts its recorded input again."


class NotInQuarantine(RequestError):
    """No job in quarantine has this id."""

    status = HTTPStatus.NOT_FOUND
    hint = "Choose a job that `GET /console/quarantine` lists."


class IdempotencyKeyReused(RequestError):
    """The idempotency key belongs to an earlier request that asked for something else."""

    status = HTTPStatus.CONFLICT
    hint = "Use a new key for each request, and the same one only to send that request again."


class RequestInProgress(RequestError):
    """An earlier request with the same idempotency key is still being answered."""

    status = HTTPStatus.CONFLICT
    hint = "Send the request again in a few seconds, with the same key."


class QuotaExceeded(RequestError):
    """The request asks for more than is left of a quota. It was not counted."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    hint = "Wait until the quota resets, ask for less, or ask an operator for a higher limit."

    def __init__(self, message: str, quotas: tuple[QuotaState, ...]) -> None:
        super().__init__(message)
        self.quotas = quotas


class TryAgainLater(RequestError):
    """A service of AWS that the API needs is throttled, or does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    hint = "Send the request again after as many seconds as `retry-after` says."


class InternalError(RequestError):
    """The API failed: the request is not at fault."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    hint = "Send the request again; if it fails again, report its `request_id`."


class QuotaState(BaseModel):
    """A quota: how much may be asked for in a window of `window_s` seconds, and how much is left.

    `resets_at` is when the next window begins. `limit` and `left` are null if there is no limit.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    limit: int | None
    left: int | None
    window_s: int
    resets_at: datetime


class WrongField(BaseModel):
    """A field of the request, as `body.name` or `query.limit`, and what is wrong with it."""

    model_config = ConfigDict(frozen=True)

    field: str
    detail: str


class WrongFields(Exception):
    """A named error of the request, and the fields that are at fault."""

    def __init__(self, error: NamedError, *wrong: WrongField) -> None:
        super().__init__(error.message)
        self.error = error
        self.wrong = wrong

    @classmethod
    def one(cls, error: NamedError, field: str) -> WrongFields:
        """Return the error of one field, whose fault is all that its message says."""
        return cls(error, WrongField(field=field, detail=error.message))
