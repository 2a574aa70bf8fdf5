"""What a destroyed stage leaves behind is found, and imported before it can stop the next one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from click.testing import CliRunner
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from urllib3 import HTTPResponse

from pipeline.cli.stage import stage
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names, stage_names
from pipeline.operations.site import Site
from pipeline.operations.stage.adopting import CannotAdopt, adopted
from pipeline.operations.stage.finding_leftovers import find_leftovers, stuck_stacks
from pipeline.operations.stage.leftovers import Expected, expected_of
from tests.conftest import ROOT

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-central-1"
NAMES: Final[Names] = stage_names("dev", account=ACCOUNT, region=REGION)
EXPECTED: Final = expected_of(Blueprint.read(ROOT), NAMES)
STORAGE: Final = "matteline-dev-storage"
LOGS: Final = NAMES.bucket("access-logs")
_LOG: Final = "/aws/vendedlogs/states/matteline-dev-cutout"
_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    ],
}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def site() -> Site:
    return Site(NAMES, boto3.Session(), ())


def logical(each: Expected) -> str:
    return "".join(part.capitalize() for part in f"{each.kind}/{each.name}".split("/")).translate(
        str.maketrans("", "", ":-_.")
    )


def properties(each: Expected) -> dict[str, Any]:
    named = {
        "ECR::Repository": "RepositoryName",
        "Logs::LogGroup": "LogGroupName",
        "S3::Bucket": "BucketName",
        "DynamoDB::Table": "TableName",
        "KMS::Alias": "AliasName",
    }
    body: dict[str, Any] = {named[each.kind]: each.name} if each.kind in named else {}
    if each.kind == "KMS::Key":
        body["KeyPolicy"] = json.dumps(_POLICY)  # moto takes a text
    if each.kind == "KMS::Alias":
        key = next(key for key in EXPECTED if key.kind == "KMS::Key" and key.name == each.name)
        body["TargetKeyId"] = {"Fn::GetAtt": [logical(key), "Arn"]}
    if each.kind == "S3::Bucket" and each.name not in {LOGS, NAMES.bucket("page")}:
        body |= encrypted(each)
    if each.kind == "DynamoDB::Table":
        body["BillingMode"] = "PAY_PER_REQUEST"
        body["AttributeDefinitions"] = [{"AttributeName": "id", "AttributeType": "S"}]
        body["KeySchema"] = [{"AttributeName": "id", "KeyType": "HASH"}]
    return body


def encrypted(each: Expected) -> dict[str, Any]:
    """Return a bucket that refers to its key and to the bucket of logs, as the storage stack's."""
    own = next((key for key in EXPECTED if key.encrypts == each.name), EXPECTED[0])
    logs = next(bucket for bucket in EXPECTED if bucket.name == LOGS)
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": [logical(own), "Arn"]}}
    prefix = each.name.removesuffix(f"{ACCOUNT}-{REGION}")
    parts = [prefix, {"Ref": "AWS::AccountId"}, "-", {"Ref": "AWS::Region"}]
    return {
        "BucketName": {"Fn::Join": ["", parts]},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": rule}]
        },
        "LoggingConfiguration": {"DestinationBucketName": {"Ref": logical(logs)}},
    }


def template(stack: str) -> dict[str, Any]:
    """Return a stack with every expected resource. moto knows `Retain` only, and no vectors."""
    return {
        "Resources": {
            logical(each): {
                "Type": f"AWS::{each.kind}",
                "DeletionPolicy": "Delete" if each.kind == "Logs::LogGroup" else "Retain",
                "Properties": properties(each),
            }
            for each in EXPECTED
            if each.stack == stack and each.kind != "S3Vectors::VectorBucket"
        }
    }


STACKS: Final = sorted({each.stack for each in EXPECTED})
TEMPLATES: Final = {stack: template(stack) for stack in STACKS}


def create(stack: str, body: Mapping[str, Any]) -> None:
    boto3.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(body))


@pytest.fixture
def deployed() -> None:
    for stack, body in TEMPLATES.items():
        create(stack, body)


@pytest.fixture
def destroyed(deployed: None) -> None:
    del deployed
    for stack in STACKS:
        boto3.client("cloudformation").delete_stack(StackName=stack)


def imported(body: Mapping[str, Any], mapping: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return what is left to create after an import, which moto cannot do."""

    def known(value: Any) -> Any:
        match value:
            case {"Fn::GetAtt": [at, "Arn"]} if at in mapping:
                return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{mapping[at]['KeyId']}"
            case {"Ref": at} if at in mapping:
                return next(iter(mapping[at].values()))
            case dict():
                return {key: known(each) for key, each in value.items()}
            case list():
                return [known(each) for each in value]
        return value

    left = {at: each for at, each in body["Resources"].items() if at not in mapping}
    return {"Resources": known(left)}


@pytest.mark.usefixtures("deployed")
def test_a_stage_that_is_there_has_no_leftovers(site: Site) -> None:
    assert find_leftovers(site, EXPECTED) == ()


@pytest.mark.usefixtures("destroyed")
def test_without_an_import_the_next_stage_cannot_be_created() -> None:
    with pytest.raises(ClientError, match="BucketAlreadyExists"):
        create(STORAGE, TEMPLATES[STORAGE])


@pytest.mark.usefixtures("destroyed")
def test_after_an_import_of_the_leftovers_the_next_stage_is_created(site: Site) -> None:
    found = find_leftovers(site, EXPECTED)
    mappings = adopted(found, TEMPLATES, NAMES)

    for stack in STACKS:
        left = imported(TEMPLATES[stack], mappings.get(stack, {}))
        if left["Resources"]:
            create(stack, left)

    assert {each.expected.kind for each in found} == {
        "DynamoDB::Table", "ECR::Repository", "KMS::Alias", "KMS::Key", "S3::Bucket",
    }  # fmt: skip
    retained = {at for body in TEMPLATES.values() for at, each in body["Resources"].items()
                if each["DeletionPolicy"] == "Retain"}  # fmt: skip
    assert {at for mapping in mappings.values() for at in mapping} == retained


@pytest.mark.usefixtures("deployed")
def test_a_bucket_of_vectors_is_imported_by_its_arn(site: Site) -> None:
    name = NAMES.vector_bucket("collections")
    boto3.client("s3vectors").create_vector_bucket(vectorBucketName=name)

    (found,) = find_leftovers(site, EXPECTED)

    assert found.expected == Expected("S3Vectors::VectorBucket", name, STORAGE)
    assert found.identifier["VectorBucketArn"].endswith(f"bucket/{name}")


@pytest.mark.usefixtures("destroyed")
def test_a_log_group_that_a_service_created_again_is_imported(site: Site) -> None:
    boto3.client("logs").create_log_group(logGroupName=_LOG)

    mappings = adopted(find_leftovers(site, EXPECTED), TEMPLATES, NAMES)

    assert list(mappings["matteline-dev-pipeline"].values()) == [{"LogGroupName": _LOG}]


@pytest.mark.usefixtures("destroyed")
def test_a_key_without_an_alias_is_found_by_the_bucket_that_it_encrypts(site: Site) -> None:
    """Stages that were destroyed before aliases were retained have none."""
    keys = {each.expected.name: each.identifier for each in find_leftovers(site, EXPECTED[:2])}
    for alias in keys:
        boto3.client("kms").delete_alias(AliasName=alias)

    again = {each.expected.name: each.identifier for each in find_leftovers(site, EXPECTED[:2])}

    assert set(keys) == {"alias/matteline-dev", "alias/matteline-dev-collections"}
    assert again == keys


@pytest.mark.usefixtures("destroyed")
def test_a_key_that_others_use_too_is_not_imported(site: Site) -> None:
    """An import would replace its policy."""
    kms, shared = boto3.client("kms"), EXPECTED[0]
    companys = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/company", TargetKeyId=companys["KeyId"])
    kms.delete_alias(AliasName=shared.name)
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": companys["Arn"]}
    boto3.client("s3").put_bucket_encryption(
        Bucket=shared.encrypts,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
    )

    with pytest.raises(CannotAdopt, match=f"{shared.encrypts} is encrypted with {companys['Arn']}"):
        adopted(find_leftovers(site, EXPECTED), TEMPLATES, NAMES)


@pytest.mark.usefixtures("destroyed")
def test_a_bucket_that_another_account_made_under_our_name_is_not_imported(site: Site) -> None:
    """One that lets everybody in looks like ours, unless S3 is told whose it must be."""
    ours = {"x-amz-expected-bucket-owner": ACCOUNT}
    nothing = HTTPResponse(io.BytesIO(), preload_content=False)

    def answer(request: Any, **_: Any) -> Any:
        asked = {name: request.headers.get(name, b"").decode() for name in ours}
        return AWSResponse(request.url, 403, HTTPHeaders(), nothing) if asked == ours else None

    for operation in ("HeadBucket", "GetBucketEncryption"):
        site.session.events.register(f"before-send.s3.{operation}", answer)

    with pytest.raises(CannotAdopt, match="belongs to another account"):
        adopted(find_leftovers(site, EXPECTED), TEMPLATES, NAMES)


@pytest.mark.usefixtures("destroyed")
def test_a_key_that_is_being_deleted_is_a_problem_with_a_way_out(site: Site) -> None:
    (key, *_) = find_leftovers(site, EXPECTED[:1])
    boto3.client("kms").schedule_key_deletion(KeyId=key.identifier["KeyId"])

    with pytest.raises(CannotAdopt, match="is PendingDeletion") as caught:
        adopted(find_leftovers(site, EXPECTED), TEMPLATES, NAMES)

    (problem,) = caught.value.problems
    assert f"aws kms cancel-key-deletion --key-id {key.identifier['KeyId']}" in problem


@pytest.mark.usefixtures("destroyed")
def test_a_resource_that_others_need_must_be_there(site: Site) -> None:
    boto3.client("s3").delete_bucket(Bucket=LOGS)

    with pytest.raises(CannotAdopt, match=f"aws s3 mb s3://{LOGS}"):
        adopted(find_leftovers(site, EXPECTED), TEMPLATES, NAMES)


@pytest.mark.parametrize("status", [403, 301], ids=["denied", "another-region"])
def test_a_bucket_of_somebody_else_is_a_problem_and_is_never_imported(
    site: Site, status: int
) -> None:
    """S3 answers for a bucket of another account, which moto has not."""
    bucket = next(each for each in EXPECTED if each.kind == "S3::Bucket")
    with Stubber(site.client("s3")) as s3:
        s3.add_client_error("head_bucket", str(status), http_status_code=status)
        (found,) = find_leftovers(site, (bucket,))

    assert (found.expected, found.identifier) == (bucket, {})
    with pytest.raises(CannotAdopt, match="belongs to another account or region") as caught:
        adopted((found,), TEMPLATES, NAMES)
    (problem,) = (each for each in caught.value.problems if "belongs to" in each)
    assert bucket.name in problem
    assert problem.endswith("or denies it: choose another stage name")


def test_an_answer_of_s3_that_says_nothing_of_the_bucket_is_an_error(site: Site) -> None:
    bucket = next(each for each in EXPECTED if each.kind == "S3::Bucket")
    with Stubber(site.client("s3")) as s3:
        s3.add_client_error("head_bucket", "500", http_status_code=500)
        with pytest.raises(ClientError, match="500"):
            find_leftovers(site, (bucket,))


@pytest.mark.parametrize("status", [403, 301, 404], ids=["denied", "another-region", "none"])
def test_the_key_of_a_bucket_of_somebody_else_is_unknown(site: Site, status: int) -> None:
    key = next(each for each in EXPECTED if each.encrypts)
    with Stubber(site.client("s3")) as s3:
        s3.add_client_error("get_bucket_encryption", str(status), http_status_code=status)
        assert find_leftovers(site, (key,)) == ()


def test_an_account_without_the_stage_has_nothing_of_it(site: Site) -> None:
    assert find_leftovers(site, EXPECTED) == ()
    assert stuck_stacks(site) == ()


@pytest.mark.usefixtures("deployed")
def test_a_stack_whose_deletion_failed_is_finished_first(tmp_path: Path) -> None:
    stacks = cloudformation_backends[ACCOUNT][REGION].stacks.values()
    next(each for each in stacks if each.name == STORAGE).status = "DELETE_FAILED"

    answer = leftovers(tmp_path)

    assert answer.exit_code == 1
    assert f"aws cloudformation delete-stack --stack-name {STORAGE}" in answer.output


def test_a_stuck_stack_of_another_stage_is_left_alone(site: Site) -> None:
    """The stages dev and dev-2 may be in one account."""
    create("matteline-dev-2-storage", TEMPLATES["matteline-dev-pipeline"])
    (stack,) = cloudformation_backends[ACCOUNT][REGION].stacks.values()
    stack.status = "DELETE_FAILED"

    assert stuck_stacks(site) == ()


@pytest.mark.usefixtures("destroyed")
def test_the_command_writes_what_to_import_and_nothing_of_an_earlier_check(tmp_path: Path) -> None:
    write(tmp_path, {name: body for name, body in TEMPLATES.items() if "registry" not in name})
    (tmp_path / "matteline-registry.template.json").write_text("of an earlier synthesis")
    (tmp_path / "adopt").mkdir()
    (tmp_path / "adopt" / "matteline-dev-web.json").write_text("{}")

    answer = leftovers(tmp_path)

    assert answer.exit_code == 0, answer.output
    assert f"{STORAGE}: DynamoDB::Table matteline-dev-jobs" in answer.output.splitlines()
    written = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "adopt").iterdir()}
    assert set(written) == {STORAGE, "matteline-dev-page", "matteline-dev-releases"}
    assert {"TableName": "matteline-dev-jobs"} in written[STORAGE].values()


@pytest.mark.usefixtures("destroyed")
def test_a_stage_without_a_page_does_not_import_the_pages_bucket(site: Site) -> None:
    templates = {name: body for name, body in TEMPLATES.items() if name != "matteline-dev-page"}

    assert "matteline-dev-page" not in adopted(find_leftovers(site, EXPECTED), templates, NAMES)


def write(folder: Path, templates: Mapping[str, Any]) -> None:
    """Write templates as `cdk synth` does."""
    artifacts: dict[str, Any] = {"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}
    for stack, body in templates.items():
        file = f"{stack}.template.json"
        (folder / file).write_text(json.dumps(body))
        artifacts[stack] = {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": file},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


def leftovers(templates: Path) -> Any:
    return CliRunner().invoke(stage, ["leftovers", "--stage", "dev", "--templates", str(templates)])
