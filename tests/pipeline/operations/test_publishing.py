"""What is published is the page, whole, with the configuration of its deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from pipeline.cli.page import page
from pipeline.declared.names import LOCAL_NAMES, Names, stage_names
from pipeline.declared.page import page_folder
from pipeline.operations.publishing import (
    Deployed,
    NotPublished,
    live_version,
    publish,
    sign_in_of,
    version_of,
)
from pipeline.operations.site import Site
from tests.conftest import ROOT
from tests.page.issuer import Issuer, served

NAMES: Names = stage_names("dev", account="123456789012", region="us-east-1")
ADDRESS = "https://d111.cloudfront.net"
FILES = {
    "index.html": b"<!doctype html>",
    "app.js": b"export {}",
    "lang/en.js": b"export default {}",
    "art/vase.svg": b"<svg/>",
    "css/frame.css": b"p {}",
    "README.md": b"not of the page",
    "core/types.d.ts": b"export {}",
}
OF_THE_PAGE = sorted(set(FILES) - {"README.md", "core/types.d.ts"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "page" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "page"


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A stage without a page."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", NAMES.region)
    with mock_aws():
        yield Site(NAMES, boto3.Session(), ())


@pytest.fixture
def site(empty: Site) -> Site:
    """A stage with a page and keys."""
    deploy(empty, {"kind": "key"})
    allow(empty, ADDRESS)
    return empty


def deploy(site: Site, sign_in: dict[str, Any]) -> None:
    bucket = site.names.bucket("page")
    template = {
        "Resources": {"Files": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}},
        "Outputs": {
            "PageAddress": {"Value": ADDRESS},
            "PageSignIn": {"Value": json.dumps(sign_in)},
        },
    }
    site.client("cloudformation").create_stack(
        StackName="matteline-dev-page", TemplateBody=json.dumps(template)
    )
    site.client("s3").create_bucket(Bucket=site.names.bucket("ingest"))


def allow(site: Site, origin: str) -> None:
    rule = {"AllowedOrigins": [origin], "AllowedMethods": ["POST"]}
    site.client("s3").put_bucket_cors(
        Bucket=site.names.bucket("ingest"), CORSConfiguration={"CORSRules": [rule]}
    )


def stored(site: Site) -> dict[str, Any]:
    """Return all objects of the page's bucket by key."""
    s3, bucket = site.client("s3"), site.names.bucket("page")
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"]) for each in listed}


def test_every_file_has_its_bytes_its_media_type_and_is_looked_up_again(
    site: Site, folder: Path
) -> None:
    publish(site, folder)
    found = stored(site)

    assert sorted(found) == sorted([*OF_THE_PAGE, "config.json"])
    assert {name: found[name]["Body"].read() for name in OF_THE_PAGE} == {
        name: FILES[name] for name in OF_THE_PAGE
    }
    assert {name: each["ContentType"] for name, each in found.items()} == {
        "index.html": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "lang/en.js": "text/javascript; charset=utf-8",
        "art/vase.svg": "image/svg+xml",
        "css/frame.css": "text/css; charset=utf-8",
        "config.json": "application/json",
    }
    assert {each["CacheControl"] for each in found.values()} == {"no-cache"}
    assert json.loads(found["config.json"]["Body"].read()) == {"sign_in": {"kind": "key"}}


def test_the_index_is_stored_last_and_then_old_files_are_deleted(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(site, folder)
    (folder / "app.js").rename(folder / "start.js")
    done: list[tuple[str, str]] = []
    s3 = site.client("s3")
    for verb in ("put_object", "delete_object"):
        real = getattr(s3, verb)

        def noted(*, _real: Any = real, _verb: str = verb, **given: Any) -> Any:
            done.append((_verb, given["Key"]))
            return _real(**given)

        monkeypatch.setattr(s3, verb, noted)

    publication = publish(site, folder)

    keys = [key for _, key in done]
    assert keys[-3:] == ["config.json", "index.html", "app.js"]
    assert done[-1] == ("delete_object", "app.js")
    assert (publication.stored, publication.deleted) == (6, 1)
    assert "app.js" not in stored(site)


def test_the_live_version_is_that_of_the_files(site: Site, folder: Path) -> None:
    before = live_version(site)
    publication = publish(site, folder)
    live = live_version(site)
    (folder / "app.js").write_bytes(b"export default 1")

    assert before is None
    assert live == publication.version == publish_version(folder, b"export {}")
    assert version_of(folder) != live


def publish_version(folder: Path, app: bytes) -> str:
    """Return the version of the folder with these bytes as `app.js`."""
    now = (folder / "app.js").read_bytes()
    (folder / "app.js").write_bytes(app)
    version = version_of(folder)
    (folder / "app.js").write_bytes(now)
    return version


def test_a_file_that_moved_is_another_version(folder: Path) -> None:
    before = version_of(folder)
    (folder / "app.js").rename(folder / "start.js")

    assert version_of(folder) != before


def test_a_stage_without_a_page_says_how_to_have_one(empty: Site, folder: Path) -> None:
    with pytest.raises(NotPublished, match=r"no stack matteline-dev-page: set matteline:page"):
        publish(empty, folder)


@pytest.mark.parametrize("origin", [None, "https://shop.example"])
def test_nothing_is_published_to_an_address_whose_forms_are_refused(
    empty: Site, folder: Path, origin: str | None
) -> None:
    deploy(empty, {"kind": "key"})
    if origin:
        allow(empty, origin)

    with pytest.raises(NotPublished, match="set matteline:api_page_origin to this address"):
        publish(empty, folder)
    assert stored(empty) == {}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with served(made) as made.address:
        yield made


def deployed(by: Issuer, **changed: str) -> Deployed:
    said = {"kind": "tokens", "issuer": by.address, "client_id": "page",
            "scope": "openid", "token_origin": by.address}  # fmt: skip
    return Deployed(ADDRESS, said | changed)


def test_the_issuers_endpoints_are_written_for_the_page(issuer: Issuer) -> None:
    assert sign_in_of(deployed(issuer)) == {
        "kind": "tokens",
        "issuer": issuer.address,
        "client_id": "page",
        "scope": "openid",
        "redirect": f"{ADDRESS}/",
        "authorize": f"{issuer.address}/authorize",
        "token": f"{issuer.address}/token",
        "revoke": f"{issuer.address}/revoke",
        "end": f"{issuer.address}/end",
    }


def test_tokens_at_an_origin_that_the_policy_blocks_are_refused(issuer: Issuer) -> None:
    with pytest.raises(NotPublished, match="set matteline:page_token_origin and deploy"):
        sign_in_of(deployed(issuer, token_origin="https://users.example"))  # noqa: S106


def test_an_issuer_with_another_name_is_refused(issuer: Issuer) -> None:
    with pytest.raises(NotPublished, match=f"calls itself {issuer.address}"):
        sign_in_of(deployed(issuer, issuer=f"{issuer.address}/"))


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({}, "calls itself None"),
        ([], "no description of an issuer"),
        ({"issuer": "", "authorization_endpoint": "x"}, "calls itself"),
    ],
)
def test_an_odd_description_is_refused(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, described: Any, said: str
) -> None:
    monkeypatch.setattr(issuer, "description", lambda: described)

    with pytest.raises(NotPublished, match=said):
        sign_in_of(deployed(issuer))


def test_an_issuer_without_a_token_endpoint_is_refused(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = {name: text for name, text in issuer.description().items() if "token" not in name}
    monkeypatch.setattr(issuer, "description", lambda: without)

    with pytest.raises(NotPublished, match="describes no token_endpoint"):
        sign_in_of(deployed(issuer))


def test_an_issuer_that_does_not_answer_is_named(issuer: Issuer) -> None:
    missing = f"{issuer.address}/elsewhere"

    with pytest.raises(NotPublished, match="answered 404"):
        sign_in_of(deployed(issuer, issuer=missing))
    with pytest.raises(NotPublished, match="cannot be read"):
        sign_in_of(deployed(issuer, issuer="http://127.0.0.1:9"))


def typed(*words: str) -> Result:
    return CliRunner().invoke(page, words)


def test_the_command_says_what_is_live(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cli.site.aws_site", lambda *_: site)
    before = typed("version", "--stage", "dev")
    published = typed("publish", "--stage", "dev")
    after = typed("version", "--stage", "dev")

    version = version_of(page_folder(ROOT))
    assert before.output == f"live      none\ncheckout  {version}\n"
    assert f"{ADDRESS}/ has version {version}\n" in published.output
    assert after.output == f"live      {version}\ncheckout  {version}\n"


def test_the_local_cloud_needs_no_publication(monkeypatch: pytest.MonkeyPatch) -> None:
    local = Site(LOCAL_NAMES, boto3.Session(region_name="us-east-1"), ())
    monkeypatch.setattr("pipeline.cli.site.local_site", lambda *_: local)

    result = typed("publish")

    assert result.exit_code == 2
    assert "serves the files themselves: pass --stage NAME" in result.output
