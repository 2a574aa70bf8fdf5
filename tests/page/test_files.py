"""The page is few bytes and known libraries, with nothing inline and nothing from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.page import page_files
from pipeline.declared.products import load_products
from tests.conftest import ROOT

PAGE: Final = ROOT / "containers/http_api/page"
FILES: Final = {path.relative_to(PAGE).as_posix(): path for path in page_files(PAGE).values()}
OURS: Final = sorted(name for name in FILES if not name.startswith("vendor/"))
WORDS: Final = ("lang", "views/console/lang")  # the console's own are fetched with it
LANGUAGES: Final = sorted(path.stem for path in (PAGE / "lang").glob("*.js"))
FIRST_BYTES: Final = 63_500  # gzipped, file by file
ALL_BYTES: Final = 150_000  # without the console, which operators alone fetch
CONSOLE_BYTES: Final = 48_000
CONSOLE: Final = frozenset(
    name for name in FILES if name.startswith("views/console/") or name == "css/console.css"
)
NODE: Final = shutil.which("node")


def test_a_library_is_the_published_file() -> None:
    vendored = json.loads((PAGE / "vendor/hashes.json").read_text())
    hashes = {
        name: hashlib.sha256(FILES[f"vendor/{name}"].read_bytes()).hexdigest() for name in vendored
    }

    assert hashes == {name: row["sha256"] for name, row in vendored.items()}
    assert {f"vendor/{name}" for name in vendored} == {n for n in FILES if n.startswith("vendor/")}


def test_a_library_has_its_licences_beside_it() -> None:
    for row in json.loads((PAGE / "vendor/hashes.json").read_text()).values():
        for name in row["licences"]:
            assert "Permission is hereby granted" in (
                text := (PAGE / "vendor" / name).read_text()
            ) or ("Apache License" in text)


@pytest.mark.parametrize("name", OURS)
def test_a_file_names_no_other_origin_and_has_nothing_inline(name: str) -> None:
    text = FILES[name].read_text()
    addresses = set(re.findall(r"(?:https?:)?//[a-z0-9][\w.-]+\.\w+", text))

    assert addresses <= {"http://www.w3.org"}
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=\"|\son\w+=\"|javascript:", text)
    assert not re.search(r"\beval\(|new Function|innerHTML|dangerouslySetInnerHTML", text)


def test_every_file_is_used() -> None:
    """Follow the page's own references from its index."""
    seen, new = set(), {"index.html"}
    while new:
        name = new.pop()
        seen.add(name)
        folder = FILES[name].parent
        for found in re.findall(
            r"['\"(]((?:\.{0,2}/)?[\w./-]+\.(?:js|css|svg))", FILES[name].read_text()
        ):
            for base in (folder, PAGE):
                path = (base / found).resolve()
                if path.is_file():
                    new |= {path.relative_to(PAGE).as_posix()} - seen
    named_by_code = {f"{folder}/{each}.js" for folder in WORDS for each in LANGUAGES} | {
        f"art/{each}.svg" for each in ("vase", "pear", "plant")
    }

    assert set(FILES) == seen | named_by_code


def _keys(language: str) -> dict[str, set[str]]:
    """Return the texts' keys, with the names of what is filled in."""
    text = "".join((PAGE / folder / f"{language}.js").read_text() for folder in WORDS)
    rows = re.findall(r"^  '?([\w.]+)'?: (.*),$", text, re.MULTILINE)
    return {key: set(re.findall(r"\{(\w+)\}", rest)) for key, rest in rows}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_text(language: str) -> None:
    english, other = _keys("en"), _keys(language)
    own = {key for key in other if key not in english}

    assert set(english) <= set(other)
    assert all(re.fullmatch(r"error\.\w+\.(do|why)", key) for key in own)
    assert {key: english[key] for key in english} == {key: other[key] for key in english}
    assert f"{language}:" in (PAGE / "core/i18n.js").read_text()


def test_every_text_that_is_asked_for_exists() -> None:
    code = "".join(FILES[name].read_text() for name in OURS if not name.startswith(WORDS))
    asked = set(re.findall(r"\bt\('([\w.]+)'", code))

    assert asked - set(_keys("en")) == set()


def test_the_page_takes_what_starts_a_product() -> None:
    text = FILES["core/files.js"].read_text()
    listed = re.findall(r"RECORDINGS = /\\\.\((.*)\)\$/i", text)[0].split("|")
    products = {each.name: each for each in load_products(ROOT)}

    assert {f".{each}" for each in listed} == set(products["transcript"].suffixes)


def test_the_page_offers_a_model_of_every_group() -> None:
    catalogue = load_catalogue(ROOT)
    text = FILES["views/cutout/purposes.js"].read_text()
    offered = dict(re.findall(r"^  '?([\w-]+)'?: '(\w+)',$", text, re.MULTILINE))
    groups = set(catalogue.groups["background-remover"])

    # Its first choice is the deployment's default, for general subjects; clicks choose their model.
    assert {catalogue.row(name).suits for name in offered} == groups - {"general", "pointed-at"}
    wanted = {f"model.{purpose}{end}" for purpose in offered.values() for end in ("", ".sub")}
    assert wanted <= set(_keys("en"))


def test_a_first_cutout_loads_few_bytes() -> None:
    sizes = {name: len(gzip.compress(FILES[name].read_bytes(), 9)) for name in FILES}
    later = {
        "core/signin.js", "css/signin.css",  # only where users sign in
        "vendor/client-zip.js", "css/select.css",
        "views/cutout/cut-out.js", "views/cutout/finish.js", "views/cutout/show-photo.js",
        "css/transcript.css", "css/faces.css",
        *(name for name in FILES if re.match(r"views/(transcript|faces)/(?!view\.js)", name)),
        *(name for name in FILES if name.startswith("views/cutout/select/")),
        *(f"lang/{each}.js" for each in LANGUAGES if each != "en"),
        "parts/confirm.js", "css/confirm.css",
        *CONSOLE,
    }  # fmt: skip

    # Without a build, comments and many small files count: docs/decisions/0036
    assert later <= set(FILES)
    assert sum(size for name, size in sizes.items() if name not in later) <= FIRST_BYTES
    assert sum(size for name, size in sizes.items() if name not in CONSOLE) <= ALL_BYTES
    assert sum(sizes[name] for name in CONSOLE) <= CONSOLE_BYTES


@pytest.mark.skipif(NODE is None, reason="no node: `make test-page` checks the types")
def test_the_types_of_the_modules_agree() -> None:
    compiler = Path(__file__).parent / "node_modules/typescript/bin/tsc"
    if not compiler.is_file():
        pytest.skip("no typescript: `make test-page` installs it")
    done = subprocess.run(
        [str(NODE), str(compiler), "-p", str(Path(__file__).parent)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout == ""
