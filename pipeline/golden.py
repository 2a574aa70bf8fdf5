"""A container's golden event: a job with input files, and the result a good version returns.

The folder `containers/<name>/golden/` has the input files and `golden.toml`. The self-test gives
the event to the handler inside an image; the smoke test of a release gives it to a new version on
AWS. The smoke test runs from a zip, so this module needs the standard library only.

`golden.toml` has these tables:

- `[payload]`: the job, or the HTTP request.
- `[expect]`: fields that the result must have, nested as in the result. A list must have as many
  items. `{ between = [0.1, 0.2] }` accepts any number from 0.1 to 0.2, and `{ json = … }` in place
  of a text or of an artifact's fields describes the JSON in the text or in the artifact's file.
- `[untried]`: errors that a good version may raise for this job, each with the reason.
- `[[variants]]`: changes to the three tables above, for functions whose model row has the
  values in `where`, or has not all of those in `unless`: `where = { engine = "sam" }`.

`${work_bucket}` stands for a field of `Run`, `${row:name}` for a field of its `Row`, and
`${photo.png:key}` for a field of the `InputFile` of that name. A text that is nothing but a
placeholder becomes the field's value, of whatever type.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

VERSION_HEADER: Final = "matteline-version"  # of an answer over HTTP: `http-api/0.1.0`
_DOCUMENT: Final = "golden.toml"
_TABLES: Final = ("payload", "expect", "untried")
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]+)\}")
_ARTIFACT: Final = frozenset({"uri", "sha256", "bytes"})

Write = Callable[[str, str, bytes], str]  # bucket, key and content; returns the ETag
Fetch = Callable[[str], bytes | None]  # s3:// address; None if no object is there


@dataclass(frozen=True)
class InputFile:
    """A golden input, where the function can read it. The work bucket keeps no versions."""

    bucket: str
    key: str
    etag: str
    sha256: str
    bytes: int
    version_id: None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def artifact(self) -> dict[str, object]:
        """The file as jobs refer to artifacts."""
        return {"uri": self.uri, "sha256": self.sha256, "bytes": self.bytes}


@dataclass(frozen=True)
class Row:
    """The facts of a function's model row. Hosted models have no weights, so no key."""

    name: str
    engine: str
    weights_key: str | None


@dataclass(frozen=True)
class Run:
    """One run of a golden event: where the job may work, and for which model row."""

    work_bucket: str
    work_prefix: str
    models_bucket: str
    row: Row | None = None


class Check(NamedTuple):
    """One comparison: the field, its value, and what is wrong with it (empty if nothing is)."""

    field: str
    value: object
    problem: str


@dataclass(frozen=True)
class Golden:
    """A golden event, ready for one run: its placeholders are filled in."""

    payload: Mapping[str, Any]
    expect: Mapping[str, Any]
    untried: Mapping[str, str]

    @classmethod
    def prepare(cls, container: Path, run: Run, write: Write) -> Golden:
        """Read the event of a container's folder, and write its input files to the work bucket.

        FileNotFoundError if it has none, KeyError or AttributeError for a placeholder that stands
        for nothing.
        """
        folder = container / "golden"
        document = tomllib.loads((folder / _DOCUMENT).read_text(encoding="utf-8"))
        variants = [each for each in document.get("variants", ()) if _applies(each, run.row)]
        whole = functools.reduce(_merged, variants, document)
        holders = {"": run, "row": run.row, **_written_inputs(folder, run, write)}
        return cls(*(_filled(whole.get(table, {}), holders) for table in _TABLES))

    def checks(self, result: Mapping[str, Any], fetch: Fetch) -> Iterator[Check]:
        """Compare a result with the expected fields, and each of its artifacts with its bytes."""
        yield from _compared("", self.expect, result, fetch)
        for path, artifact in _artifacts("", result):
            yield _stored(path, artifact, fetch)


def claimed_version(result: Mapping[str, Any]) -> str:
    """Return which container and version made a result or answer: `http-api/0.1.0`.

    A result has its provenance, an answer over HTTP a header; anything else says `nothing`.
    """
    if provenance := result.get("provenance"):
        return f"{provenance.get('container')}/{provenance.get('version')}"
    return str((result.get("headers") or {}).get(VERSION_HEADER, "nothing"))


def _written_inputs(folder: Path, run: Run, write: Write) -> dict[str, InputFile]:
    """Write each input file to `<work prefix>/golden/<name>`; in a subfolder, the name has it."""
    inputs = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != _DOCUMENT:
            content, key = path.read_bytes(), f"{run.work_prefix}/golden/{name}"
            etag = write(run.work_bucket, key, content)
            sha256 = hashlib.sha256(content).hexdigest()
            inputs[name] = InputFile(run.work_bucket, key, etag, sha256, len(content))
    return inputs


def _applies(variant: Mapping[str, Any], row: Row | None) -> bool:
    if "unless" in variant:
        return not _has(row, variant["unless"])
    return _has(row, variant["where"])


def _has(row: Row | None, fields: Mapping[str, object]) -> bool:
    """Return True if a row has all these values. AttributeError for a field that rows lack."""
    return all(getattr(row, name) == value for name, value in fields.items())


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `change`, merged table by table."""
    both = {
        name: _merged(base[name], value) if isinstance(value, Mapping) and name in base else value
        for name, value in change.items()
    }
    return {**base, **both}


def _filled(template: Any, holders: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON in, JSON out
    def value(placeholder: re.Match[str]) -> Any:  # noqa: ANN401 - JSON
        holder, _, field = placeholder[1].rpartition(":")
        return getattr(holders[holder], field)

    if isinstance(template, Mapping):
        return {name: _filled(each, holders) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, holders) for each in template]
    if not isinstance(template, str):
        return template
    if whole := _PLACEHOLDER.fullmatch(template):
        return value(whole)
    return _PLACEHOLDER.sub(lambda part: str(value(part)), template)


def _compared(path: str, expected: Any, actual: Any, fetch: Fetch) -> Iterator[Check]:  # noqa: ANN401 - JSON
    match expected:
        case {"between": [low, high]}:
            good = isinstance(actual, int | float) and low <= actual <= high
            yield _check(path, actual, f"between {low} and {high}", good=good)
        case {"json": inner}:
            yield from _compared(f"{path}.json", inner, _parsed(actual, fetch), fetch)
        case dict():
            fields = actual if isinstance(actual, Mapping) else {}
            for name, each in expected.items():
                yield from _compared(_under(path, name), each, fields.get(name), fetch)
        case list() if isinstance(actual, list) and len(actual) == len(expected):
            for index, each in enumerate(expected):
                yield from _compared(_under(path, index), each, actual[index], fetch)
        case _:
            yield _check(path, actual, repr(expected), good=actual == expected)


def _check(path: str, actual: object, expected: str, *, good: bool) -> Check:
    return Check(path, actual, "" if good else f"{path} is {actual!r}, not {expected}")


def _parsed(value: Any, fetch: Fetch) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON in a text or in an artifact's file, or None if there is none."""
    try:
        return json.loads(value if isinstance(value, str) else fetch(value["uri"]) or b"")
    except (TypeError, KeyError, ValueError):
        return None


def _artifacts(path: str, value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Find every artifact in a result, however deep."""
    if isinstance(value, Mapping):
        if value.keys() >= _ARTIFACT:
            yield path, value
        for name, each in value.items():
            yield from _artifacts(_under(path, name), each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _artifacts(_under(path, index), each)


def _stored(path: str, artifact: Mapping[str, Any], fetch: Fetch) -> Check:
    uri, content = artifact["uri"], fetch(str(artifact["uri"]))
    if content is None:
        return Check(path, uri, f"{path} names {uri}, which does not exist")
    actual = len(content), hashlib.sha256(content).hexdigest()
    declared = artifact["bytes"], artifact["sha256"]
    if actual != declared:
        said = "{} bytes with SHA-256 {}"
        return Check(path, uri, f"{uri} has {said.format(*actual)}, not {said.format(*declared)}")
    return Check(path, uri, "")


def _under(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
