"""Whether what a new version answered is what its golden event calls for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.functions.smoke_hook.golden import Golden, Pixels
from pipeline.functions.smoke_hook.png import NotThisPng, decode

Fetch = Callable[[str], bytes | None]


def problems(golden: Golden, answer: Mapping[str, Any], fetch: Fetch) -> Iterator[str]:
    """Everything that is not as expected; `fetch` has an object's bytes, None if it is missing."""
    for each in golden.expect:
        actual = field(answer, each.path)
        if actual != each.value:
            yield f"{each.path} is {actual!r}, not {each.value!r}"
    for path in golden.exists:
        if fetch(str(field(answer, path))) is None:
            yield f"{path} names {field(answer, path)}, which is not there"
    for look in golden.pixels:
        yield from _pixel_problems(look, answer, fetch)


def field(answer: Any, path: str) -> Any:  # noqa: ANN401 - a walk through JSON
    """The value at a path such as `pictures.0.kind`; None where there is nothing."""
    for name in path.split("."):
        if isinstance(answer, Sequence) and name.isdigit() and int(name) < len(answer):
            answer = answer[int(name)]
        elif isinstance(answer, Mapping):
            answer = answer.get(name)
        else:
            return None
    return answer


def _pixel_problems(look: Pixels, answer: Mapping[str, Any], fetch: Fetch) -> Iterator[str]:
    content = fetch(str(field(answer, look.uri)))
    if content is None:
        yield f"{look.uri} names no picture"
        return
    try:
        pixel = decode(content).at(*look.at)
    except NotThisPng as error:
        yield f"{look.uri} is no picture that can be looked at: {error}"
        return
    off = [abs(seen - wanted) for seen, wanted in zip(pixel, look.near, strict=False)]
    if len(pixel) != len(look.near) or max(off) > look.within:
        yield f"{look.uri} is {pixel} at {look.at}, not within {look.within} of {look.near}"
