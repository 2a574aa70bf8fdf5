"""Weights come from the first source that has them whole, and only with the promised digest."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.errors import WeightsMismatch, WeightsUnavailable
from tests.containers.model_downloader.desks import CONTENT, MD5, SHA256, Desk, wanted
from tests.containers.model_downloader.server import Web


@pytest.fixture
def refusing() -> str:
    """A URL nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        return f"http://127.0.0.1:{once.getsockname()[1]}/w.onnx"


@pytest.mark.parametrize("name", ["w.onnx", "tiny v1 - final.onnx", "poids-légers.onnx"])
@pytest.mark.parametrize("digest", [f"sha256:{SHA256}", f"md5:{MD5}"])
def test_a_folder_is_a_mirror(tmp_path: Path, desk: Desk, name: str, digest: str) -> None:
    mirror = tmp_path / "a mirror"
    mirror.mkdir()
    (mirror / name).write_bytes(CONTENT)

    sha256 = desk.fetch(wanted(name=name, digest=digest), str(mirror))

    assert sha256 == SHA256
    assert desk.target.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["w.onnx", "tiny v1 - final.onnx", "poids-légers.onnx"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_url_is_a_mirror(web: Web, desk: Desk, name: str, slash: str) -> None:
    web.put(f"/weights/{name}", CONTENT)

    sha256 = desk.fetch(wanted(name=name), f"{web.url}/weights{slash}")

    assert sha256 == SHA256
    assert desk.target.read_bytes() == CONTENT


def test_without_a_mirror_the_catalogues_addresses_are_asked(web: Web, desk: Desk) -> None:
    url = web.put("/w.onnx", CONTENT)

    assert desk.fetch(wanted(url, digest=f"md5:{MD5}")) == SHA256


def test_the_mirror_is_asked_first_and_nobody_after_it(web: Web, desk: Desk) -> None:
    web.put("/mirror/w.onnx", CONTENT)
    url = web.put("/publisher/w.onnx", CONTENT)

    desk.fetch(wanted(url), f"{web.url}/mirror")

    assert web.asked == ["/mirror/w.onnx"]


def test_addresses_are_asked_in_order_until_one_answers(web: Web, desk: Desk) -> None:
    first = f"{web.url}/1"
    second, third = web.put("/2", CONTENT), web.put("/3", CONTENT)

    desk.fetch(wanted(first, second, third), f"{web.url}/mirror")

    assert web.asked == ["/mirror/w.onnx", "/1", "/2"]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_an_error_page_is_not_weights(web: Web, desk: Desk, status: int) -> None:
    broken = web.put("/broken", CONTENT, status=status)
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(broken, good)) == SHA256


def test_a_short_answer_is_not_weights(web: Web, desk: Desk) -> None:
    short = web.put("/short", CONTENT[:1000], promised=len(CONTENT))
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(short, good)) == SHA256
    assert desk.target.read_bytes() == CONTENT


def test_fewer_bytes_than_the_catalogue_states_are_not_weights(web: Web, desk: Desk) -> None:
    whole_to_the_server = web.put("/short", CONTENT[:1000])
    good = web.put("/good", CONTENT)

    fetched = desk.fetch(wanted(whole_to_the_server, good, size=len(CONTENT)))

    assert fetched == SHA256
    assert desk.target.read_bytes() == CONTENT


def test_a_source_that_ends_early_is_named_with_how_far_it_came(web: Web, desk: Desk) -> None:
    short = web.put("/short", CONTENT[:1000])

    with pytest.raises(
        WeightsUnavailable, match=r"/short \(it ended after 1,000 of 2,304,000 bytes"
    ):
        desk.fetch(wanted(short, size=len(CONTENT)))


@pytest.mark.parametrize("surplus", [0, 1])
def test_bytes_of_the_stated_number_or_more_are_judged_by_their_digest(
    web: Web, desk: Desk, surplus: int
) -> None:
    other = web.put("/other", bytes(len(CONTENT) + surplus))
    good = web.put("/good", CONTENT)

    with pytest.raises(WeightsMismatch, match="/other has sha256"):
        desk.fetch(wanted(other, good, size=len(CONTENT)))

    assert web.asked == ["/other"]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../w.onnx", "/w.onnx", "a/w.onnx", "a\\w.onnx", "..w.onnx", "w\n.onnx", "w\n"],
)
def test_weights_are_a_plain_file_name(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        wanted(name=name)


def test_a_refused_connection_is_passed_over(web: Web, desk: Desk, refusing: str) -> None:
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(refusing, good)) == SHA256


def test_a_mirror_that_lacks_the_file_is_passed_over(web: Web, tmp_path: Path, desk: Desk) -> None:
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted(good), str(tmp_path / "nowhere")) == SHA256


def test_when_every_source_fails_each_is_named_with_its_reason(
    web: Web, tmp_path: Path, desk: Desk, refusing: str
) -> None:
    short = web.put("/short", CONTENT[:10], promised=1000, ranges=False)
    file = wanted(f"{web.url}/none", refusing, short, "ftp://old.example/w.onnx")

    with pytest.raises(WeightsUnavailable) as failure:
        desk.fetch(file, str(tmp_path))

    reasons = failure.value.message.partition("w.onnx could not be fetched: ")[2].split("; ")
    assert len(reasons) == 5
    assert reasons[0].startswith(f"{tmp_path.as_uri()}/w.onnx (")
    assert "No such file" in reasons[0]
    assert reasons[1] == f"{web.url}/none (it responded with status 404)"
    assert reasons[2].startswith(f"{refusing} (")
    assert "refused" in reasons[2]
    assert reasons[3].startswith(f"{short} (")
    assert "10 bytes read, 990 more expected" in reasons[3]
    assert reasons[4] == "ftp://old.example/w.onnx (unknown scheme ftp://)"


def test_a_file_without_a_source_is_unavailable(desk: Desk) -> None:
    with pytest.raises(WeightsUnavailable, match="the catalogue has no source"):
        desk.fetch(wanted())


@pytest.mark.parametrize("digest", [f"sha256:{'0' * 64}", f"md5:{'0' * 32}"])
def test_other_bytes_than_promised_end_the_search(web: Web, desk: Desk, digest: str) -> None:
    first, second = web.put("/1", CONTENT), web.put("/2", CONTENT)

    with pytest.raises(WeightsMismatch, match=f"/1 has (md5 {MD5}|sha256 {SHA256}); the catalogue"):
        desk.fetch(wanted(first, second, digest=digest))

    assert web.asked == ["/1"]
