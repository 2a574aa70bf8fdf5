"""Read an upload form from a stream, with limits: its fields first, then its file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    Preamble,
)
from werkzeug.wsgi import LimitedStream

from pipeline.local.s3.refusal import Refused, bad_argument, bad_request

_MOST_BEFORE_FILE: Final = 20_480  # bytes
_SMALL_CHUNK: Final = 4 * 1024
_CHUNK: Final = 64 * 1024
_NAME: Final = re.compile(r"[!-~]+")
_FILENAME: Final = "${filename}"


class UploadForm:
    """A form on its way in. Call `read_fields`, then `read_content`, then `finish`.

    The file is the part whose name is `file`, with or without a file name. Parts after it are
    ignored.
    """

    def __init__(self, stream: IO[bytes], *, content_type: str, length: int) -> None:
        """Take the next `length` bytes of the stream. Raises Refused if they are no form."""
        kind, parameters = parse_options_header(content_type)
        if kind != "multipart/form-data":
            raise Refused(
                "412 Precondition Failed",
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                Condition="Bucket POST must be of the enclosure-type multipart/form-data",
            )
        if not parameters.get("boundary"):
            raise _malformed()
        self._decoder = MultipartDecoder(parameters["boundary"].encode())
        self._stream = LimitedStream(stream, length)
        self._received = 0
        self._at_file = False

    def read_fields(self) -> dict[str, str]:
        """Return the fields before the file, by their names in small letters.

        `${filename}` in them stands for the name of the uploaded file, without folders. Raises
        Refused for a form without a file.
        """
        fields: dict[str, str] = {}
        for part in self._parts():
            name = (part.name or "").lower()
            if name == "file":
                self._at_file = True
                if self._received - len(self._decoder.buffer) > _MOST_BEFORE_FILE:
                    raise _too_much_before_file()
                return _with_filename(fields, part)
            if not _NAME.fullmatch(name):
                raise _malformed()
            if name in fields:
                raise bad_argument("POST requires exactly one value per field.", name, fields[name])
            fields[name] = _text(b"".join(self.read_content()))
        raise _wrong_number_of_files(0)

    def read_content(self) -> Iterator[bytes]:
        """Yield the bytes of the part whose headers were read last."""
        while isinstance(event := self._next_event(), Data):
            yield event.data
            if not event.more_data:
                return

    def finish(self) -> None:
        """Read what follows the file. Raises Refused for a second file or an incomplete form."""
        for part in self._parts():
            if (part.name or "").lower() == "file":
                raise _wrong_number_of_files(2)

    def _parts(self) -> Iterator[Field | File]:
        while (event := self._next_event()) is not None:
            if isinstance(event, Field | File):
                yield event

    def _next_event(self) -> Event | None:
        """Return the next event, None at the end of the form."""
        while True:
            try:
                event = self._decoder.next_event()
            except ValueError:
                raise _malformed() from None
            if isinstance(event, NeedData):
                self._receive()
            elif isinstance(event, Epilogue):
                return None
            elif not isinstance(event, Preamble):
                return event

    def _receive(self) -> None:
        if not self._at_file and self._received > _MOST_BEFORE_FILE:
            raise _too_much_before_file()
        try:
            content = self._stream.read(_CHUNK if self._at_file else _SMALL_CHUNK)
        except ClientDisconnected:
            raise bad_request(
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP "
                "header",
            ) from None
        self._received += len(content)
        self._decoder.receive_data(content or None)


def _with_filename(fields: Mapping[str, str], file: Field | File) -> dict[str, str]:
    if not isinstance(file, File):
        return dict(fields)
    name = re.split(r"[/\\]", file.filename)[-1]
    return {field: value.replace(_FILENAME, name) for field, value in fields.items()}


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _malformed() from None


def _malformed() -> Refused:
    return bad_request(
        "MalformedPOSTRequest",
        "The body of your POST request is not well-formed multipart/form-data.",
    )


def _too_much_before_file() -> Refused:
    return bad_request(
        "MaxPostPreDataLengthExceeded",
        "Your POST request fields preceeding the upload file was too large.",
        MaxPostPreDataLengthBytes=_MOST_BEFORE_FILE,
    )


def _wrong_number_of_files(number: int) -> Refused:
    says = "POST requires exactly one file upload per request."
    return bad_argument(says, "file", str(number))
