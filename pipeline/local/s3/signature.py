"""Verify AWS's Signature Version 4 of upload forms and of presigned requests."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from pipeline.local.s3.refusal import Refused, bad_argument, bad_request, denied, missing_field

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_TERMINAL: Final = "aws4_request"
_DATE_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_SIGNED_FIELDS: Final = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_SIGNED_PARAMETERS: Final = (*_SIGNED_FIELDS, "X-Amz-SignedHeaders", "X-Amz-Expires")
_LONGEST_S: Final = 7 * 24 * 60 * 60
_FUTURE_S: Final = 15 * 60  # how far ahead the signer's clock may be
_WEEK: Final = (
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
    "less than 604800 seconds"
)
Complain = Callable[[str, str], Refused]  # the parameter at fault and what is wrong with it


class Request(NamedTuple):
    """The parts of a presigned request that are signed, as they were sent."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]  # decoded
    headers: Mapping[str, str]  # names in small letters


@dataclass(frozen=True)
class Account:
    """The one user of a local cloud, and its region."""

    access_key: str
    secret_key: str
    region: str

    def verify_form(self, fields: Mapping[str, str]) -> None:
        """Raise Refused unless the policy in a form's fields is signed with the account's key.

        A form without any signature is an anonymous one, which private buckets deny.
        """
        _refuse_version_2(fields, "awsaccesskeyid")
        missing = [name for name in _SIGNED_FIELDS if name.lower() not in fields]
        if "policy" not in fields or missing == [*_SIGNED_FIELDS]:
            raise denied("Access Denied")
        for name in missing:
            raise missing_field(name)
        sent = {name: fields[name.lower()] for name in _SIGNED_FIELDS}
        self._verify(sent, fields.get("x-amz-security-token"), _form_complaint(sent))
        text = fields["policy"]
        self._compare(sent, text, StringToSign=text, StringToSignBytes=text.encode().hex(" "))

    def verify_presigned(self, request: Request, *, now: dt.datetime) -> None:
        """Raise Refused unless a presigned request is signed with the account's key and in time."""
        parameters = dict(request.query)
        _refuse_version_2({name.lower(): each for name, each in parameters.items()}, "signature")
        if missing := [name for name in _SIGNED_PARAMETERS if name not in parameters]:
            raise _query_complaint(
                "", f"Query-string authentication version 4 requires {' and '.join(missing)}."
            )
        self._verify(parameters, parameters.get("X-Amz-Security-Token"), _query_complaint)
        self._require_in_time(parameters, now)
        canonical = _canonical_request(request, parameters["X-Amz-SignedHeaders"].split(";"))
        text = "\n".join(
            (
                ALGORITHM,
                parameters["X-Amz-Date"],
                parameters["X-Amz-Credential"].partition("/")[2],
                hashlib.sha256(canonical.encode()).hexdigest(),
            )
        )
        self._compare(parameters, text, StringToSign=text, CanonicalRequest=canonical)

    def _verify(self, sent: Mapping[str, str], token: str | None, complain: Complain) -> None:
        """Check algorithm, credential and date."""
        if sent["X-Amz-Algorithm"] != ALGORITHM:
            raise complain("X-Amz-Algorithm", f'X-Amz-Algorithm only supports "{ALGORITHM}"')
        credential = sent["X-Amz-Credential"]
        access_key, *scope = credential.split("/")
        if len(scope) != 4:
            shape = "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"
            says = f'the Credential is mal-formed; expecting "{shape}".'
            raise complain("X-Amz-Credential", says)
        day, region, service, terminal = scope
        if access_key != self.access_key:
            raise Refused(
                "403 Forbidden",
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
                AWSAccessKeyId=access_key,
            )
        if region != self.region:
            says = f"the region '{region}' is wrong; expecting '{self.region}'"
            raise complain("X-Amz-Credential", says)
        if service != "s3":
            says = f'incorrect service "{service}". This endpoint belongs to "s3".'
            raise complain("X-Amz-Credential", says)
        if terminal != _TERMINAL:
            says = f'incorrect terminal "{terminal}". This endpoint uses "{_TERMINAL}".'
            raise complain("X-Amz-Credential", says)
        if _moment(sent["X-Amz-Date"]) is None:
            raise complain("X-Amz-Date", "X-Amz-Date must be formated via ISO8601 Long format")
        if day != sent["X-Amz-Date"][:8]:
            says = f'Invalid credential date "{day}". This date is not the same as X-Amz-Date.'
            raise complain("X-Amz-Credential", says)
        if token is not None:
            says = "The provided token is malformed or otherwise invalid."
            raise bad_request("InvalidToken", says, **{"Token-0": token})

    def _require_in_time(self, parameters: Mapping[str, str], now: dt.datetime) -> None:
        lasts = parameters["X-Amz-Expires"]
        if not re.fullmatch(r"-?[0-9]{1,18}", lasts):
            raise _query_complaint("X-Amz-Expires", "X-Amz-Expires should be a number")
        if int(lasts) < 0:
            raise _query_complaint("X-Amz-Expires", "X-Amz-Expires must be non-negative")
        if int(lasts) > _LONGEST_S:
            raise _query_complaint("X-Amz-Expires", _WEEK)
        signed = _moment(parameters["X-Amz-Date"]) or now
        ends = signed + dt.timedelta(seconds=int(lasts))
        times = {"X-Amz-Expires": lasts, "Expires": _iso(ends), "ServerTime": _iso(now)}
        if signed > now + dt.timedelta(seconds=_FUTURE_S):
            raise denied("Request is not valid yet", **times)
        if now > ends:
            raise denied("Request has expired", **times)

    def _compare(self, sent: Mapping[str, str], text: str, **elements: object) -> None:
        _, day, region, service, terminal = sent["X-Amz-Credential"].split("/")
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, region, service, terminal):
            key = hmac.digest(key, part.encode(), "sha256")
        provided = sent["X-Amz-Signature"]
        computed = hmac.digest(key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(computed.encode(), provided.encode()):
            raise Refused(
                "403 Forbidden",
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
                AWSAccessKeyId=self.access_key,
                SignatureProvided=provided,
                **elements,
            )


def _refuse_version_2(sent: Mapping[str, str], name: str) -> None:
    """Reject the signatures that boto3 makes without `signature_version="s3v4"`.

    S3 accepts them in old regions, for buckets created before 24 June 2020 only.
    """
    if name in sent:
        raise bad_request(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. "
            f"Please use {ALGORITHM}.",
        )


def _form_complaint(sent: Mapping[str, str]) -> Complain:
    return lambda name, says: bad_argument(says, name, sent[name])


def _query_complaint(name: str, says: str) -> Refused:
    prefix = f"Error parsing the {name} parameter; " if name == "X-Amz-Credential" else ""
    return bad_request("AuthorizationQueryParametersError", prefix + says)


def _canonical_request(request: Request, signed_headers: Sequence[str]) -> str:
    pairs = [pair for pair in request.query if pair[0] != "X-Amz-Signature"]
    query = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs)
    sent = [(name, request.headers.get(name, "").split()) for name in signed_headers]
    return "\n".join(
        (
            request.method,
            quote(unquote_to_bytes(request.path), safe="/~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(words)}" for name, words in sent),
            "",
            ";".join(signed_headers),
            "UNSIGNED-PAYLOAD",
        )
    )


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
