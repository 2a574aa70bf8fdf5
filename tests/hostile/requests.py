"""What a person, a bucket or an event may ask for: names, inputs, options, metadata and prompts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.hostile.case import CUTOUT

INVALID: Final = "InvalidOptions"
PROMPT: Final = "InvalidPrompt"
MISSING: Final = "SourceMissing"


@dataclass(frozen=True)
class Asked:
    """An execution input (its bucket and key are filled in) and the object's metadata."""

    name: str
    fields: Any
    end: str
    metadata: dict[str, str] = field(default_factory=dict)


KEYS: Final = (
    "plain.jpg", "no extension", ".hidden", "many.dots.in.it.jpg", "folder/", "a//b.jpg",
    "/lead.jpg", " ", " leading and trailing .jpg ", "tab\there.jpg", "new\nline.jpg",
    "null\0byte.jpg", "bell\a.jpg", "per%cent.jpg", "per%2Fcent.jpg", "plus+sign.jpg",
    "a&b=c;d.jpg", "query?versionId=1.jpg", "hash#1.jpg", "quote'.jpg", 'double".jpg',
    "back\\slash.jpg", "<b>&amp;.jpg", "$(reboot).jpg", "`reboot`.jpg", "-rf.jpg", "~root.jpg",
    "con.jpg", "a:b.jpg", "a|b.jpg", "a*?.jpg", "[0]{1}.jpg", "사진/고양이 😀.jpeg", "e\u0301.jpg",
    "\u202egpj.exe", "\ufeffbom.jpg", "\U0010ffff.jpg", "\ufdd0.jpg", "ﬁ.jpg", "../up.jpg",
    "a/../b.jpg", "./here.jpg", "..", "a/..", "States.Format('{}').jpg", "{}.jpg", "$.key.jpg",
    "__import__('os').jpg", "%s%n.jpg", "a" * 1_020 + ".jpg", "😀" * 256, "x/" * 512,
)  # fmt: skip
WRONG: Final[dict[str, tuple[Any, ...]]] = {
    "model": (None, 1, True, [], {}, ["brightness"]),
    "refine": (None, 0, True, "best", "", [], {}, "FAST"),
    "format": (None, 1, "gif", "PNG", "png\0", [], {}),
    "background": (
        0,
        True,
        "",
        "red",
        "#fff",
        "#ffffff\n",
        "#gggggg",
        "\uff03ffffff",
        [255, 0, 0],
        {},
    ),
    "crop": (None, 2, -1, "", "ja", 0.5, [], {}),
    "margin": (None, True, 10, -1, 101, 0.5, "", [], {}),  # 10 without a crop
    "size": (0, -1, True, 1.5, 65_536, "", "big", [], {}),
    "outputs": (None, 1, True, "cutout", [], {}, ["video"], [None], [["cutout"]], {"cutout": True}),
    "allow_fallback": (None, 7, "perhaps", [], {}),
    "prompts": (
        None,
        1,
        "here",
        {},
        [1],
        [None],
        [[]],
        [{"point": [1, 2]}],
        [{"box": [0, 0, 9, 9]}],
    ),
    "speed": (9,),
    "": (1,),
    "__class__": (1,),
    "\ud800": (1,),
}
INPUTS: Final[dict[str, Any]] = {
    "no bucket": {"bucket": None},
    "number for a bucket": {"bucket": 1},
    "bucket with a slash": {"bucket": "a/b"},
    "short bucket": {"bucket": "ab"},
    "shouted bucket": {"bucket": "PHOTOS"},
    "no key": {"key": None},
    "empty key": {"key": ""},
    "number for a key": {"key": 5},
    "key of 1,025 bytes": {"key": "a" * 1_025},
    "key of half a character": {"key": "\ud800.jpg"},
    "list for a key": {"key": ["cat.jpg"]},
    "text for options": {"options": "crop"},
    "list for options": {"options": []},
    "yes for force": {"force": "yes"},
    "unknown field": {"speed": 9},
    "job of one's own": {"job": {"job_id": "mine"}},
    "version of nothing": {"version_id": ""},
    "version of half a character": {"version_id": "\ud800"},
    "number for a version": {"version_id": 3},
}
PROMPTS: Final[dict[str, tuple[Any, str]]] = {
    "right of the photo": ([{"points": [{"x": 97, "y": 5}]}], PROMPT),
    "below it": ([{"points": [{"x": 5, "y": 64.5}]}], PROMPT),
    "left of it": ([{"points": [{"x": -1, "y": 5}]}], PROMPT),
    "far away": ([{"points": [{"x": 1e308, "y": 5}]}], PROMPT),
    "fraction above 1": ([{"points": [{"x": 0.5, "y": 1.01}]}], PROMPT),
    "nothing": ([{}], PROMPT),
    "only off the subject": ([{"points": [{"x": 9, "y": 9, "label": 0}]}], PROMPT),
    "box inside out": ([{"box": {"x0": 50, "y0": 40, "x1": 10, "y1": 9}}], PROMPT),
    "box of no area": ([{"box": {"x0": 5, "y0": 5, "x1": 5, "y1": 9}}], PROMPT),
    "box thinner than is kept": ([{"box": {"x0": 5, "y0": 5, "x1": 5.0001, "y1": 9}}], PROMPT),
    "box beyond the photo": ([{"box": {"x0": 5, "y0": 5, "x1": 500, "y1": 9}}], PROMPT),
    "no prompt at all": ([], PROMPT),
    "label 2": ([{"points": [{"x": 1, "y": 1, "label": 2}]}], INVALID),
    "text for a number": ([{"points": [{"x": "1", "y": 1}]}], INVALID),
    "truth for a number": ([{"points": [{"x": True, "y": 1}]}], INVALID),
    "no y": ([{"points": [{"x": 1}]}], INVALID),
    "z": ([{"points": [{"x": 1, "y": 1, "z": 1}]}], INVALID),
    "17 points": ([{"points": [{"x": 1, "y": 1}] * 17}], INVALID),
    "nine subjects": ([{"points": [{"x": 1, "y": 1}]}] * 9, INVALID),
    "a number with 400 digits": ([{"points": [{"x": 10**400, "y": 1}]}], INVALID),
    "the middle": ([{"points": [{"x": 48, "y": 32}]}], CUTOUT),
    "the middle, in fractions": ([{"points": [{"x": 0.5, "y": 0.5}]}], CUTOUT),
    "the subject's box": ([{"box": {"x0": 24, "y0": 16, "x1": 72, "y1": 48}}], CUTOUT),
}
METADATA: Final[dict[str, tuple[dict[str, str], str]]] = {
    "an unknown option": ({"matteline-speed": "9"}, INVALID),
    "no option's name": ({"matteline-": "1"}, INVALID),
    "an empty model": ({"matteline-model": ""}, "UnknownModel"),
    "a model of 1,500 letters": ({"matteline-model": "x" * 1_500}, "UnknownModel"),
    "no JSON": ({"matteline-prompts": "48,32"}, INVALID),
    "JSON cut short": ({"matteline-prompts": '[{"points": '}, INVALID),
    "JSON 1,800 deep": ({"matteline-prompts": "[" * 1_800}, INVALID),
    "JSON of 1,900 digits": ({"matteline-prompts": "9" * 1_900}, INVALID),
    "not a number": ({"matteline-prompts": '[{"points": [{"x": NaN, "y": 1}]}]'}, INVALID),
    "the option's own name": ({"matteline-matteline-crop": "true"}, INVALID),
    "somebody else's": ({"author": "Ada", "crop": "ja"}, CUTOUT),
    "two spellings of one": (
        {"matteline-allow-fallback": "1", "matteline-allow_fallback": "0"},
        INVALID,
    ),
    "words of RFC 2047": ({"matteline-crop": "=?UTF-8?Q?true=C2=A0?="}, CUTOUT),
    "broken words of RFC 2047": ({"matteline-crop": "=?UTF-8?B?%%%?="}, INVALID),
    "words in an unknown alphabet": ({"matteline-crop": "=?klingon?Q?true?="}, INVALID),
    "shouted": ({"matteline-crop": "TRUE"}, CUTOUT),
}


def asked() -> Iterator[Asked]:
    for option, values in WRONG.items():
        for value in values:
            yield Asked(f"{option!r}: {value!r:.40}", {"options": {option: value}}, INVALID)
    for name, fields in INPUTS.items():
        yield Asked(name, fields, INVALID)
    for name, (prompts, end) in PROMPTS.items():
        options = {"model": "pointer", "prompts": prompts}
        yield Asked(f"prompt: {name}", {"options": options}, end)
    for name, (metadata, end) in METADATA.items():
        yield Asked(f"metadata: {name}", {}, end, metadata)
    points = [{"points": [{"x": 48, "y": 32}]}]
    yield Asked("a prompt nobody takes", {"options": {"prompts": points}}, PROMPT)
    yield Asked("another key", {"key": "not there.jpg"}, MISSING)
    yield Asked("another bucket", {"bucket": "no-such-bucket"}, MISSING)
    yield Asked("another version", {"version_id": "0" * 32}, MISSING)
    yield Asked("an unknown model", {"options": {"model": "u3net"}}, "UnknownModel")
    yield Asked("half a letter for a model", {"options": {"model": "\ud800"}}, "UnknownModel")
    yield Asked(
        "a licence nobody accepted", {"options": {"model": "research"}}, "LicenseNotAccepted"
    )
    for depth in (50, 250, 300, 900):
        yield Asked(f"options {depth} deep", {"options": {"prompts": nested(depth)}}, INVALID)
        yield Asked(f"a key {depth} deep", {"key": nested(depth)}, INVALID)
    events = {
        "no detail": None,
        "text": "x",
        "nothing": {},
        "no key": {"bucket": {"name": "photos"}},
    }
    for name, detail in events.items():
        yield Asked(f"event: {name}", {"detail-type": "Object Created", "detail": detail}, INVALID)
    for value in (None, 1, "cat.jpg", [], [{}], True, 1.5):
        yield Asked(f"{value!r} for an input", value, INVALID)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value
