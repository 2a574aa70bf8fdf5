"""Collections from the command line, beside a running `matteline up`: faces are marked squares."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import stat
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from pipeline.cli.collection_reports import CANDIDATES
from pipeline.cli.command import matteline
from pipeline.errors import CollectionExists, ConsentMissing, UnknownModel
from tests.conftest import ROOT
from tests.embedding_models import PARTS, stock_embedder
from tests.face_models import stock_faces
from tests.models import Shelf, stock
from tests.pictures import png
from tests.pipeline.cli.terminal import PATIENCE_S, Terminal, beside_up, users_environment

SIDE = 128  # of a face, in a photo of 512 × 512 pixels
KEPT = "kept"
ADA = "ad" * 16
SAME = 0.995  # similarity that only the same mark has
CREATED = '--purpose "find staff" --legal-basis "their consent" --retention-days 30'


def face(mark: int) -> bytes:
    """Return a photo of one face; people differ in the part of it that is orange, 0…24."""
    return png(pixels(mark))


def pixels(mark: int) -> np.ndarray:
    photo = np.zeros((512, 512, 3), np.uint8)
    photo[SIDE : 2 * SIDE, SIDE : 2 * SIDE] = 255, 0, 0
    down, across = divmod(mark, PARTS)
    part = SIDE // PARTS
    top, left = SIDE + down * part, SIDE + across * part
    photo[top : top + part, left : left + part] = 255, 128, 0
    return photo


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    shelf: Shelf = stock(tmp_path_factory.mktemp("shelf"))
    with shelf.catalogue.open("a") as rows:
        rows.write(stock_faces(shelf.folder, "face-api-ssd"))
        rows.write(stock_embedder(shelf.folder, "face-api-resnet34"))
    return users_environment(shelf, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def up(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("terminal")
    for person, mark in (("p-1", 0), ("p-2", 12), ("p-3", 24)):
        (folder / "people" / person).mkdir(parents=True)
        (folder / "people" / person / f"{person}.png").write_bytes(face(mark))
    (folder / "empty.png").write_bytes(png(np.zeros((512, 512, 3), np.uint8)))
    (folder / "visitor.png").write_bytes(face(12))
    with beside_up(ROOT, folder, environment, "--collections", str(folder / KEPT)) as up:
        yield up


def typed(up: Terminal, words: str) -> str:
    return up.type(f"python -m pipeline {words} --endpoint-url {up.endpoint}")


def refused(up: Terminal, words: str) -> tuple[int, str]:
    done = up.run(f"python -m pipeline {words} --endpoint-url {up.endpoint}")
    return done.returncode, done.stdout + done.stderr


def found(up: Terminal, words: str) -> list[tuple[str, str]]:
    """Return person and key of each candidate of the one face of a photo."""
    answer = json.loads(typed(up, f"faces find {words} --threshold {SAME} --json"))
    (query,) = answer["queries"]
    return [(match["person"], match["key"]) for match in query["matches"]]


def left_of_searches(up: Terminal, bucket: str) -> str:
    aws = up.command("aws").split(" s3 ")[0]
    told = up.type(f"{aws} s3api list-object-versions --bucket {bucket} --prefix searches/")
    return str(json.loads(told or "{}").get("Versions", ""))


@pytest.fixture(scope="module")
def staff(up: Terminal) -> str:
    """A collection with a face of each of three people."""
    typed(up, f"collections create staff {CREATED}")
    told = typed(up, "collections enroll staff people --person-from folder")
    assert "Enrolled in staff: 3 vectors, 0 known already; it has 3 in 1 segment" in told
    return "staff"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "--purpose, --legal-basis, --retention-days"),
        ('--purpose "find staff" --retention-days 30', "--legal-basis"),
        ('--purpose "" --legal-basis "consent" --retention-days 30', "--purpose"),
    ],
    ids=["nothing", "no basis", "empty"],
)
def test_nothing_is_created_without_consent(words: str, told: str) -> None:
    result = CliRunner().invoke(matteline, ["collections", "create", "x", *shlex.split(words)])

    assert isinstance(result.exception, ConsentMissing)
    assert result.exception.message == f"a collection needs {told}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"collections create Staff {CREATED}", "'Staff' is no name of a collection: "),
        (
            'collections create x --purpose x --legal-basis "consent" --retention-days 30',
            "'x' is no purpose: write 3 to 500 characters",
        ),
        (f"collections create x {CREATED} --model u2netp", "makes no vectors of faces"),
        (f"collections create x {CREATED} --allow bob", "`matteline keys list` shows prefixes"),
        ("collections enroll x", "name photos or pass --prefix, but not both"),
        ("collections enroll x a.jpg --prefix b", "name photos or pass --prefix, but not both"),
        ("collections enroll x a.jpg --person p --person-from name", "or --person-from, but not"),
        ("collections allow x", "give principals to allow or to revoke"),
        ("collections allow x --revoke bob", "`matteline keys list` shows prefixes"),
        (f"collections allow x --principal {ADA} --revoke {ADA}/", "but not both"),
        ("collections forget x", "pass --person or --photo"),
        ("collections forget x --person p --photo a.jpg", "pass --person or --photo"),
        ("faces find a.jpg", "pass --in NAME or --among FOLDER"),
        ("faces find a.jpg --in x --among .", "pass --in NAME or --among FOLDER"),
        ("faces find a.jpg --in x --embedder sface", "a collection has its own model"),
        ("faces find a.jpg --among . --person p", "--person is for --in"),
        ("faces find a.jpg --among . --stage dev", "without --stage"),
        ("faces find a.jpg --among .", "a.jpg is not a file"),
        ("faces find README.md --among README.md", "there is no other photo to search among"),
    ],
)
def test_a_wrong_command_is_refused_before_anything_is_asked(words: str, told: str) -> None:
    result = CliRunner().invoke(matteline, shlex.split(words))

    error = result.exception
    assert told in result.output or (isinstance(error, UnknownModel) and told in error.message)


def test_a_collection_says_why_it_exists_and_what_it_has(up: Terminal, staff: str) -> None:
    shown = typed(up, f"collections show {staff}")
    listed = typed(up, "collections list")

    assert re.search(r"purpose +find staff", shown)
    assert re.search(r"legal basis +their consent", shown)
    assert re.search(r"model +face-api-resnet34 of 75 numbers", shown)
    assert re.search(r"staff +│ 3 +│ face-api-resnet34 +│ segments +│ flat +│ 30 days", listed)


def test_a_face_is_found_again_and_the_photo_that_was_looked_for_is_gone(
    up: Terminal, staff: str
) -> None:
    shown = typed(up, f"faces find visitor.png --in {staff} --threshold {SAME}")

    assert re.search(r"│ 1\.000 +│ p-2 +│ 0 +│ 20\d\d-\d\d-\d\d │ staff/people/p-2/p-2.png", shown)
    assert "p-1" not in shown
    assert f"Compared with 3 vectors; shown from a similarity of {SAME}." in shown
    assert CANDIDATES in shown
    assert left_of_searches(up, "matteline-local-ingest") == ""


def test_a_key_is_looked_for_as_a_file_is(up: Terminal, staff: str) -> None:
    key = f"{staff}/people/p-3/p-3.png"

    assert found(up, f"{key} --in {staff}") == [("p-3", key)]
    assert found(up, f"{key} --in {staff} --person p-1") == []


def test_searches_are_listed_with_who_and_how_much(up: Terminal, staff: str) -> None:
    typed(up, f"faces find visitor.png --in {staff} -k 2 --threshold -1")

    listed = typed(up, f"collections searches {staff} --since 1h --limit 1")

    assert re.search(r"│ 1 +│ 2 +│ 2 +│ -1 +│ +│ operator", listed)
    assert listed.count("operator") == 1


def test_what_was_enrolled_is_enrolled_once(up: Terminal, staff: str) -> None:
    again = typed(up, f"collections enroll {staff} people/p-1 {staff}/people/p-2/p-2.png")
    prefix = typed(up, f"collections enroll {staff} --prefix {staff}/people/")

    assert f"SKIPPED {staff}/people/p-2/p-2.png: enrolled before" in again
    assert "1 vector, 1 known already; it has 4" in again  # people/p-1 has another key
    assert "0 vectors, 3 known already; it has 4" in prefix


def test_photos_without_a_vector_are_named(up: Terminal, staff: str) -> None:
    (up.folder / "diary.jpg").write_text("Dear diary")

    code, told = refused(up, f"collections enroll {staff} empty.png diary.jpg")
    unseen = refused(up, f"faces find empty.png --in {staff}")

    folder = up.folder.name
    assert code == 1
    assert f"SKIPPED {staff}/{folder}/empty.png: no face that is large and clear enough" in told
    assert f"FAILED {staff}/{folder}/diary.jpg: UnsupportedMedia: " in told
    assert unseen[0] == 1
    assert "empty.png has no face that is large and clear enough" in unseen[1]


def test_several_faces_that_become_one_persons_are_named(up: Terminal) -> None:
    (up.folder / "both.png").write_bytes(png(np.hstack([pixels(3), pixels(4)])))
    typed(up, f"collections create pairs {CREATED}")

    nobodys = typed(up, "collections enroll pairs both.png --below unnamed/")
    one = typed(up, "collections enroll pairs both.png --below one/ --person p-1 --face 0")
    both = typed(up, "collections enroll pairs both.png --below both/ --person p-1")

    assert "Enrolled in pairs: 2 vectors" in nobodys
    assert "Enrolled in pairs: 1 vector," in one
    assert "CHECK" not in nobodys + one
    assert f"CHECK both/{up.folder.name}/both.png: its 2 faces are one person's now" in both


def test_what_is_not_there_is_said_and_nothing_is_enrolled(up: Terminal, staff: str) -> None:
    (up.folder / "nobody").mkdir()

    folder = refused(up, f"collections enroll {staff} nobody/")
    key = refused(up, f"collections enroll {staff} gone.jpg")
    face = refused(up, f"collections enroll {staff} people/p-1 --face 7")
    person = typed(up, f"collections forget {staff} --person p-9")

    assert folder[0] == key[0] == 2
    assert "no photos found in the given folders" in folder[1]
    assert "gone.jpg is no file or folder here, and no key of matteline-local-ingest" in key[1]
    assert face[0] == 1
    assert f"SKIPPED {staff}/p-1/p-1.png: not this face" in face[1]
    assert f"Forgotten in {staff}: 0 vectors\nIt had none: " in person


def test_an_export_has_all_of_a_person_and_of_nobody_else(up: Terminal, staff: str) -> None:
    typed(up, f"collections export {staff} --person p-3 -o exported")
    nobody = refused(up, f"collections export {staff} --person p-9 -o nothing")

    document = up.folder / "exported" / f"{staff}_export.json"
    told = json.loads(document.read_text())
    vectors = load_file(up.folder / "exported" / f"{staff}_export.safetensors")
    assert [each["fact"]["key"] for each in told["vectors"]] == [f"{staff}/people/p-3/p-3.png"]
    assert [len(each) for each in vectors.values()] == [1]
    assert stat.S_IMODE(document.stat().st_mode) == 0o600
    assert nobody == (1, f"Error: {staff} has nothing of this person\n")
    assert list((up.folder / "nothing").iterdir()) == []


def test_a_forgotten_person_is_not_found_and_then_erased(up: Terminal) -> None:
    typed(up, f"collections create club {CREATED} --erase-within-days 3")
    typed(up, "collections enroll club people --person-from name")
    assert found(up, "visitor.png --in club") == [("p-2", "club/people/p-2/p-2.png")]

    told = typed(up, "collections forget club --person p-2")
    assert found(up, "visitor.png --in club") == []
    photo = typed(up, "collections forget club --photo club/people/p-1/p-1.png")
    erased = typed(up, "collections compact club --force")

    by = datetime.now().astimezone() + timedelta(days=3)
    assert "Forgotten in club: 1 vector\n" in told
    assert "  club/people/p-2/p-2.png\n" in told
    assert f"Erased by {by:%Y-%m-%d}" in told
    assert "Receipt: s3://matteline-local-collections/receipts/club/forget-" in told
    assert "Forgotten in club: 1 vector\n" in photo
    assert "club: 2 vectors erased" in erased
    assert "1 vector in 1 segment" in erased


def test_a_collection_is_deleted_only_by_its_name(up: Terminal) -> None:
    typed(up, f"collections create old {CREATED}")

    kept = up.run(f"echo odd | python -m pipeline collections delete old {endpoint(up)}")
    deleted = up.type(f"echo old | python -m pipeline collections delete old {endpoint(up)}")
    missing = refused(up, "faces find visitor.png --in old")

    assert kept.returncode == 1
    assert "nothing was deleted: that is not its name" in kept.stderr
    assert "old is deleted: " in deleted
    assert "Receipt: s3://matteline-local-collections/receipts/old/delete-" in deleted
    assert missing[0] == 1
    assert missing[1].startswith("CollectionMissing: ")


def test_who_may_search_is_changed(up: Terminal) -> None:
    typed(up, f"collections create hall {CREATED}")

    told = typed(up, f"collections allow hall --principal {ADA}/ --principal {'b0' * 16}")
    fewer = typed(up, f"collections allow hall --revoke {'b0' * 16}")

    assert f"hall may be searched by operators, {ADA}, {'b0' * 16}" in told
    assert f"hall may be searched by operators, {ADA}\n" in fewer
    assert re.search(rf"may search +operators, {ADA}\n", typed(up, "collections show hall"))


def test_a_failure_of_an_action_is_a_line_and_a_hint(up: Terminal, staff: str) -> None:
    code, told = refused(up, f"collections create {staff} {CREATED} --erase-within-days 2")

    assert code == 1
    assert told.strip().splitlines()[0].startswith("CollectionExists: ")
    assert CollectionExists.hint in told


def wait_until_deleted(up: Terminal, prefix: str) -> None:
    """Until no object in the output bucket has the prefix: `up` deletes them after the answer."""
    aws = up.command("aws").split(" s3 ")[0]
    deadline = time.monotonic() + PATIENCE_S
    while prefix in up.type(f"{aws} s3 ls --recursive s3://matteline-local-output/"):
        assert time.monotonic() < deadline, f"objects below {prefix} are left"


def test_faces_are_found_among_photos_in_one_command(up: Terminal) -> None:
    words = "faces find visitor.png --among people --among empty.png"
    told = up.run(f"python -m pipeline {words} --threshold {SAME} --json")

    answer = json.loads(told.stdout)
    ((match,),) = (query["matches"] for query in answer["queries"])
    assert told.returncode == 0
    assert f"Cloud: {up.endpoint}" in told.stderr
    assert (match["key"], match["person"]) == ("people/p-2/p-2.png", None)
    assert answer["searched"] == 3
    wait_until_deleted(up, "run-")


def test_actions_are_listed_as_jobs_are(up: Terminal, staff: str) -> None:
    code, wrong = refused(up, "jobs list --product colection")

    assert staff
    listed = typed(up, "jobs list --product collection")
    assert re.search(r"│ create-[0-9a-f]{24} +│ collection +│ DONE", listed)
    assert "(no job was made)" not in listed
    assert (code, "did you mean 'collection'?" in wrong) == (2, True)


def test_collections_are_there_again_after_a_restart(
    up: Terminal, staff: str, environment: dict[str, str], tmp_path: Path
) -> None:
    before = typed(up, f"collections show {staff}")
    typed(up, f"collections create gone {CREATED}")
    typed(up, "collections delete gone --yes")
    kept = shutil.copytree(up.folder / KEPT, tmp_path / KEPT)

    with beside_up(ROOT, tmp_path, environment, "--collections", str(kept)) as again:
        after = typed(again, f"collections show {staff}")
        listed = typed(again, "collections list")

    assert after == before
    assert "gone" not in listed


def test_find_is_a_subcommand_and_photos_are_searched_as_before(up: Terminal) -> None:
    (up.folder / "find").write_bytes(face(3))

    up.type("python -m pipeline faces ./find visitor.png -o found")

    assert (up.folder / "found" / "find_faces.json").exists()
    assert (up.folder / "found" / "visitor_faces.json").exists()


def endpoint(up: Terminal) -> str:
    return f"--endpoint-url {up.endpoint}"
