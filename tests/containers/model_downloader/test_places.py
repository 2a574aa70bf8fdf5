"""Besides https: hubs, buckets and folders, and sources that want to know who asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.artifacts import (
    AccessDenied,
    CustomerKeyRequired,
    LocalStore,
    Location,
    ObjectArchived,
)
from pipeline.aws.secrets import Unreadable
from pipeline.declared.models import WeightsFile
from pipeline.errors import KeyUnusable, StoreUnavailable, WeightsForbidden, WeightsUnavailable
from pipeline.weights.proxies import Proxies
from tests.containers.model_downloader.desks import CONTENT, MD5, SHA256, Desk, Vault, wanted
from tests.containers.model_downloader.server import Web

ON_THE_HUB = "hf://ada/net@0123abc/onnx/big model.onnx"
SERVED_AT = "/ada/net/resolve/0123abc/onnx/big model.onnx"
NOBODY = "http://127.0.0.1:9"
TOKEN = "hf_a-token-nobody-may-see"  # noqa: S105 - made up


def through(desk: Desk, web: Web, file: WeightsFile, mirror: str | None = None) -> str:
    """The address the file came from, with the test's own server as the hub."""
    intake = desk.intake()
    network = Proxies.from_environment({"HF_ENDPOINT": web.url})
    address = desk.sources(mirror, network=network).fetch(file, intake)
    assert intake.checksums["sha256"] == SHA256
    return address


def test_a_hub_address_is_a_file_of_one_revision(web: Web, desk: Desk) -> None:
    web.put(SERVED_AT, CONTENT)

    assert through(desk, web, wanted(ON_THE_HUB)) == ON_THE_HUB
    assert web.sent("authorization") == [None]


def test_a_hub_sends_large_files_from_elsewhere(web: Web, desk: Desk) -> None:
    web.put(SERVED_AT, location=web.put("/storage/1", CONTENT, breaks=[1_000_000]))

    assert through(desk, web, wanted(ON_THE_HUB)) == ON_THE_HUB
    assert web.sent("range") == [None, None, "bytes=1000000-", "bytes=1000000-"]


def test_without_a_setting_the_hub_is_hugging_face() -> None:
    url = Proxies.from_environment({}).url("hf://ada/net@refs%2Fpr%2F1/w.onnx")

    assert url == "https://huggingface.co/ada/net/resolve/refs%2Fpr%2F1/w.onnx"


@pytest.mark.parametrize(
    "url",
    [
        "hf://ada/net/w.onnx",
        "hf://ada@main/w.onnx",
        "hf://ada/net@main",
        "hf://ada/net@main/",
        "s3://bucket",
        "s3:///key",
    ],
)
def test_an_address_that_is_misspelt_is_refused_with_the_right_spelling(url: str) -> None:
    with pytest.raises(ValidationError, match=r"is not written (hf://owner/|s3://bucket/key)"):
        wanted(url)


def test_a_bucket_is_a_source(desk: Desk) -> None:
    desk.store.write(Location("shelf", "net/w.onnx"), CONTENT, media_type="")

    assert desk.fetch(wanted("s3://shelf/net/w.onnx", digest=f"md5:{MD5}")) == SHA256
    assert desk.target.read_bytes() == CONTENT


def test_an_object_that_is_not_there_is_passed_over(web: Web, desk: Desk) -> None:
    good = web.put("/good", CONTENT)

    assert desk.fetch(wanted("s3://shelf/net/w.onnx", good)) == SHA256


class Out(LocalStore):
    def read(self, location: Location) -> bytes:
        raise StoreUnavailable(f"S3 did not answer for {location.uri}")


def test_a_bucket_that_does_not_answer_is_a_source_that_failed(tmp_path: Path, desk: Desk) -> None:
    desk.store = Out(tmp_path / "out")

    with pytest.raises(WeightsUnavailable, match=r"s3://shelf/w \(S3 did not answer for s3://"):
        desk.fetch(wanted("s3://shelf/w"))


class Shut(LocalStore):
    error: type[Exception] = AccessDenied

    def read(self, location: Location) -> bytes:
        raise self.error(f"S3 answered {self.error.__name__} for {location.uri}")


def test_a_bucket_that_does_not_let_us_in_is_passed_over(
    web: Web, tmp_path: Path, desk: Desk
) -> None:
    good = web.put("/good", CONTENT)
    desk.store = Shut(tmp_path / "shut")

    assert desk.fetch(wanted("s3://shelf/w", good)) == SHA256


def test_a_bucket_that_does_not_let_us_in_is_for_a_person_to_mend(
    web: Web, tmp_path: Path, desk: Desk
) -> None:
    desk.store = Shut(tmp_path / "shut")

    with pytest.raises(WeightsForbidden, match=r"s3://shelf/w \(S3 answered AccessDenied"):
        desk.fetch(wanted("s3://shelf/w", f"{web.url}/none"))


@pytest.mark.parametrize("error", [CustomerKeyRequired, ObjectArchived, KeyUnusable])
def test_an_object_that_cannot_be_read_is_for_a_person_to_mend(
    web: Web, tmp_path: Path, desk: Desk, error: type[Exception]
) -> None:
    desk.store = store = Shut(tmp_path / "shut")
    store.error = error

    with pytest.raises(WeightsForbidden, match=rf"s3://shelf/w \(S3 answered {error.__name__}"):
        desk.fetch(wanted("s3://shelf/w", f"{web.url}/none"))


def test_a_mirror_in_a_closed_bucket_says_nothing_about_the_publisher(
    web: Web, tmp_path: Path, desk: Desk
) -> None:
    desk.store = Shut(tmp_path / "shut")

    with pytest.raises(
        WeightsUnavailable, match=r"AccessDenied for .*it responded with status 404"
    ):
        desk.fetch(wanted(f"{web.url}/none"), "s3://shelf")


@pytest.mark.parametrize("name", ["w.onnx", "zwei Wörter.onnx"])
def test_a_file_is_a_source(tmp_path: Path, desk: Desk, name: str) -> None:
    (tmp_path / name).write_bytes(CONTENT)

    assert desk.fetch(wanted((tmp_path / name).as_uri())) == SHA256


def gated(*urls: str) -> WeightsFile:
    return wanted(ON_THE_HUB, *urls, token="hub/token")  # noqa: S106 - a name


def test_a_gated_source_is_shown_the_token_the_row_names(web: Web, desk: Desk) -> None:
    desk.vault["hub/token"] = f"{TOKEN}\n"
    web.put(SERVED_AT, CONTENT)

    through(desk, web, gated())

    assert web.sent("authorization") == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    "hub", ["http://hub.example", "http://10.0.0.1", "http://localhost.example"]
)
def test_a_token_does_not_travel_in_the_clear(desk: Desk, hub: str) -> None:
    desk.vault["hub/token"] = TOKEN
    network = Proxies.from_environment({"HF_ENDPOINT": hub, "HTTP_PROXY": NOBODY})

    with pytest.raises(WeightsForbidden, match=f"refusing to send a token unencrypted to {hub}"):
        desk.sources(network=network).fetch(gated(), desk.intake())


def test_nor_does_it_travel_to_this_machine_by_way_of_another(web: Web, desk: Desk) -> None:
    desk.vault["hub/token"] = TOKEN
    network = Proxies.from_environment({"HF_ENDPOINT": web.url, "HTTP_PROXY": NOBODY})

    with pytest.raises(WeightsForbidden, match="refusing to send a token unencrypted"):
        desk.sources(network=network).fetch(gated(), desk.intake())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_token_may_stay_on_this_machine(web: Web, desk: Desk, host: str) -> None:
    desk.vault["hub/token"] = TOKEN
    web.put(SERVED_AT, CONTENT)
    hub = web.url.replace("127.0.0.1", host)
    network = Proxies.from_environment({"HF_ENDPOINT": hub})

    desk.sources(network=network).fetch(gated(), desk.intake())

    assert web.sent("authorization") == [f"Bearer {TOKEN}"]


def test_a_token_goes_along_when_a_download_is_continued(web: Web, desk: Desk) -> None:
    desk.vault["hub/token"] = TOKEN
    web.put(SERVED_AT, CONTENT, breaks=[1000])

    through(desk, web, gated())

    assert web.sent("authorization") == [f"Bearer {TOKEN}"] * 2


def test_no_other_host_is_shown_the_token(web: Web, other_web: Web, desk: Desk) -> None:
    desk.vault["hub/token"] = TOKEN
    web.put(SERVED_AT, location=other_web.put("/storage/1", CONTENT))

    through(desk, web, gated())

    assert web.sent("authorization") == [f"Bearer {TOKEN}"]
    assert other_web.sent("authorization") == [None]


def test_neither_the_mirror_nor_a_later_address_is_shown_the_token(
    web: Web, other_web: Web, desk: Desk
) -> None:
    desk.vault["hub/token"] = TOKEN
    later = other_web.put("/later", CONTENT)

    assert through(desk, web, gated(later), mirror=f"{other_web.url}/mirror") == later
    assert other_web.sent("authorization") == [None, None]


def test_a_mirror_opens_a_gated_model_without_a_token(web: Web, desk: Desk) -> None:
    web.put("/mirror/w.onnx", CONTENT)

    through(desk, web, gated(), mirror=f"{web.url}/mirror")

    assert web.asked == ["/mirror/w.onnx"]


def test_a_token_nobody_stored_is_for_a_person_to_mend(web: Web, desk: Desk) -> None:
    with pytest.raises(WeightsForbidden, match="the secret 'hub/token' does not exist"):
        through(desk, web, gated())
    assert web.asked == []


class Sealed(Vault):
    def read(self, name: str) -> str:  # noqa: ARG002 - whichever it is
        raise Unreadable("Secrets Manager answered AccessDeniedException")


def test_a_token_we_may_not_read_is_for_a_person_to_mend(
    web: Web, other_web: Web, desk: Desk
) -> None:
    desk.vault = Sealed()
    later = other_web.put("/later", CONTENT)

    assert through(desk, web, gated(later)) == later
    with pytest.raises(WeightsForbidden, match="'hub/token': Secrets Manager answered AccessDen"):
        through(desk, web, gated())


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_does_not_open_is_for_a_person_to_mend(
    web: Web, desk: Desk, status: int
) -> None:
    desk.vault["hub/token"] = TOKEN
    web.put(SERVED_AT, CONTENT, status=status)

    with pytest.raises(WeightsForbidden, match=f"it responded with status {status}") as refused:
        through(desk, web, gated())
    assert TOKEN not in str(refused.value)


def test_a_mirror_that_is_closed_says_nothing_about_the_gate(
    web: Web, other_web: Web, desk: Desk
) -> None:
    desk.vault["hub/token"] = TOKEN
    other_web.put("/mirror/w.onnx", status=403)
    web.put(SERVED_AT, status=503)

    with pytest.raises(WeightsUnavailable, match="it responded with status 503"):
        through(desk, web, gated(), mirror=f"{other_web.url}/mirror")


def test_a_signed_address_is_not_written_down(web: Web, desk: Desk) -> None:
    signed = f"{web.put('/w', CONTENT).replace('//', '//ada:secret@')}?signature=secret"
    web.pages["/w?signature=secret"] = web.pages["/w"]

    assert through(desk, web, wanted(signed)) == f"{web.url}/w"
    with pytest.raises(WeightsUnavailable) as failure:
        through(desk, web, wanted(signed.replace("/w", "/gone")))
    assert "secret" not in failure.value.message


@pytest.mark.parametrize("text", ["two\nlines", "two words", "Schlüssel", "\x00"])
def test_a_secret_that_cannot_be_a_token_is_not_shown(web: Web, desk: Desk, text: str) -> None:
    desk.vault["hub/token"] = text

    with pytest.raises(WeightsForbidden, match="one line of plain text") as refused:
        through(desk, web, gated())
    assert text not in str(refused.value)


@pytest.mark.parametrize("urls", [[], ["http://plain.example/w"], ["s3://b/k"], ["file:w"]])
def test_a_token_travels_encrypted_or_not_at_all(urls: list[str]) -> None:
    with pytest.raises(ValidationError, match="a token needs a first address that is https"):
        wanted(*urls, token="name")  # noqa: S106 - a name
