"""The API answers at its address on MiniStack, and a form from it starts a job there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from pipeline.api_keys import new_key
from tests.pictures import png
from tests.wiring.assembly import Template, synthesise
from tests.wiring.ministack import REGION
from tests.wiring.stage import Stage
from tests.wiring.test_photos import disc

pytestmark = pytest.mark.wiring
_STACK: Final = "matteline-dev-web"
_TIMEOUT_S: Final = 40
_PASSWORD: Final = "Not-a-secret-1"  # noqa: S105

Signer = Callable[[AWSRequest], None]


@dataclass(frozen=True)
class Api:
    """The API behind the stage's address. `sign` says who asks; without it, nobody."""

    endpoint: str
    host: str
    sign: Signer | None = None

    @classmethod
    def of(cls, stage: Stage, stack: str = _STACK) -> Api:
        described = stage.cloud.client("cloudformation").describe_stacks(StackName=stack)
        (outputs,) = (each["Outputs"] for each in described["Stacks"])
        (address,) = (each["OutputValue"] for each in outputs if each["OutputKey"] == "ApiAddress")
        _, _, host, prefix = address.split("/")
        assert prefix == "api"
        return cls(stage.cloud.endpoint, host)

    @property
    def id(self) -> str:
        return self.host.partition(".")[0]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a request; the API's host is a name that need not resolve here."""
        request = AWSRequest(
            method,
            f"http://{self.host}/api{path}",
            headers={**headers, "content-type": "application/json"},
            data=None if body is None else json.dumps(body),
        )
        if self.sign:
            self.sign(request)
        return urllib3.request(
            method,
            f"{self.endpoint}/api{path}",
            body=request.data,
            headers={**dict(request.headers), "host": self.host},
            timeout=_TIMEOUT_S,
            retries=False,
        )


def signer(stage: Stage, name: str, *resources: str) -> Signer:
    """Create a user who may call these resources of APIs; return what signs their requests."""
    iam = stage.cloud.client("iam")
    iam.create_user(UserName=name)
    if resources:
        call = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}
        policy = {"Version": "2012-10-17", "Statement": [call]}
        iam.put_user_policy(UserName=name, PolicyName="calls", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    return SigV4Auth(credentials, "execute-api", REGION).add_auth


def arn(stage: Stage, api: Api, what: str) -> str:
    return f"arn:aws:execute-api:{REGION}:{stage.cloud.account}:{api.id}/$default/{what}"


@pytest.fixture(scope="module")
def nobody(stage: Stage) -> Api:
    """The API, asked without a signature."""
    return Api.of(stage)


@pytest.fixture(scope="module")
def anna(stage: Stage, nobody: Api) -> Api:
    """The API, asked by a user who may call all of it."""
    return replace(nobody, sign=signer(stage, "anna", arn(stage, nobody, "*/api/*")))


def test_a_user_with_permission_gets_answers_of_the_function(anna: Api) -> None:
    answer = anna.ask("GET", "/models")

    assert answer.status == 200
    assert "starter" in {each["name"] for each in answer.json()["models"]}
    assert answer.headers["matteline-version"].startswith("http-api/")


def test_nobody_else_reaches_the_function(stage: Stage, nobody: Api) -> None:
    otto = replace(nobody, sign=signer(stage, "otto"))
    reader = replace(nobody, sign=signer(stage, "rita", arn(stage, nobody, "GET/api/*")))

    for api in (nobody, otto):
        answer = api.ask("GET", "/models")
        assert answer.status == 403
        assert "matteline-version" not in answer.headers
    assert reader.ask("GET", "/models").status == 200
    assert reader.ask("POST", "/uploads", {}).status == 403


def test_methods_and_paths_that_the_api_lacks(anna: Api) -> None:
    """The function explains what a route leads to it; API Gateway answers for the rest."""
    wrong, unknown = anna.ask("DELETE", "/models"), anna.ask("GET", "/photos")

    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")
    assert (unknown.status, unknown.json()["type"]) == (404, "docs/errors.md#nosuchpath")
    assert (anna.ask("HEAD", "/models").status, anna.ask("HEAD", "/models").data) == (200, b"")
    assert anna.ask("TRACE", "/models").json() == {"message": "Not Found"}


def test_the_upload_of_a_form_is_a_job_with_results(anna: Api) -> None:
    photo = png(disc())
    form = anna.ask("POST", "/uploads", {"name": "disc.png", "bytes": len(photo)}).json()

    stored = send(form, photo)
    job = anna.ask("GET", f"/jobs/{form['id']}", prefer="wait=20").json()
    while job["state"] in {"waiting", "running"}:
        job = anna.ask("GET", f"/jobs/{form['id']}", prefer="wait=20").json()

    assert stored.status == 201
    assert job["state"] == "done", job
    (result,) = job["results"]
    content = urllib3.request("GET", result["url"]).data
    assert hashlib.sha256(content).hexdigest() == result["sha256"]


def test_another_user_does_not_find_the_upload(stage: Stage, anna: Api) -> None:
    form = anna.ask("POST", "/uploads", {"name": "disc.png", "bytes": 7}).json()
    bert = replace(anna, sign=signer(stage, "bert", arn(stage, anna, "*/api/*")))

    assert anna.ask("GET", f"/jobs/{form['id']}").json()["state"] == "waiting"
    assert bert.ask("GET", f"/jobs/{form['id']}").status == 404


@pytest.mark.parametrize(
    ("changed", "content", "said"),
    [
        ({}, b"eight by", "EntityTooLarge"),
        ({}, b"six by", "EntityTooSmall"),
        ({"key": "elsewhere.png"}, b"7 bytes", '["eq", "$key"'),
        ({"Content-Type": "text/html"}, b"7 bytes", '["eq", "$Content-Type"'),
        ({"success_action_status": "200"}, b"7 bytes", '["eq", "$success_action_status"'),
        ({"x-amz-meta-matteline-crop": "true"}, b"7 bytes", "x-amz-meta-matteline-crop"),
        ({"x-amz-signature": "0" * 64}, b"7 bytes", "SignatureDoesNotMatch"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_form_allows_what_was_asked_for_and_nothing_else(
    anna: Api, changed: Mapping[str, str], content: bytes, said: str
) -> None:
    asked = {"name": "disc.png", "bytes": 7, "media_type": "image/png"}
    form = anna.ask("POST", "/uploads", asked).json()

    refused = send(form, content, **changed)

    assert refused.status in {400, 403}
    assert said in refused.data.decode()
    assert anna.ask("GET", f"/jobs/{form['id']}").json()["state"] == "waiting"


def send(form: Mapping[str, Any], content: bytes, **changed: str) -> Any:
    fields = {**form["fields"], **changed, "file": ("disc.png", content)}
    return urllib3.request("POST", form["url"], fields=fields, retries=False)


@dataclass(frozen=True)
class Pool:
    """A user pool of Cognito with one client."""

    stage: Stage
    id: str
    client: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.id}"

    def token(self, name: str) -> Signer:
        """Create a user; return what adds their token to requests."""
        cognito = self.stage.cloud.client("cognito-idp")
        cognito.admin_create_user(UserPoolId=self.id, Username=name)
        cognito.admin_set_user_password(
            UserPoolId=self.id, Username=name, Password=_PASSWORD, Permanent=True
        )
        done = cognito.admin_initiate_auth(
            UserPoolId=self.id,
            ClientId=self.client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": _PASSWORD},
        )
        return bearer(done["AuthenticationResult"]["IdToken"])


def bearer(token: str) -> Signer:
    def sign(request: AWSRequest) -> None:
        request.headers["authorization"] = f"Bearer {token}"

    return sign


def pool(stage: Stage) -> Pool:
    cognito = stage.cloud.client("cognito-idp")
    made = cognito.create_user_pool(PoolName="users")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=made, ClientName="shop")
    return Pool(stage, made, client["UserPoolClient"]["ClientId"])


def variant(tmp_path: Path, stage: Stage, name: str, **settings: str) -> Api:
    """Deploy the web stack once more, with other settings, before the same functions."""
    template: Template = synthesise(tmp_path, default_models="starter", **settings)[_STACK]
    cloudformation = stage.cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1}
    )
    return Api.of(stage, name)


def test_tokens_of_the_pool_are_accepted_and_no_others(tmp_path: Path, stage: Stage) -> None:
    ours, theirs = pool(stage), pool(stage)
    nobody = variant(
        tmp_path,
        stage,
        "tokens",
        api_authorizer="jwt",
        api_jwt_issuer=ours.issuer,
        api_jwt_audience=ours.client,
    )
    asked = {"name": "disc.png", "bytes": 7}

    carla = replace(nobody, sign=ours.token("carla"))
    form = carla.ask("POST", "/uploads", asked)
    assert form.status == 201, form.data
    assert carla.ask("GET", f"/jobs/{form.json()['id']}").json()["state"] == "waiting"
    dora = replace(nobody, sign=ours.token("dora"))
    assert dora.ask("GET", f"/jobs/{form.json()['id']}").status == 404
    for refused in (None, bearer("a.b.c"), theirs.token("carla")):
        assert replace(nobody, sign=refused).ask("GET", "/models").status == 401


def test_keys_are_accepted_as_long_as_their_secret_fits(tmp_path: Path, stage: Stage) -> None:
    nobody = variant(tmp_path, stage, "keys", api_authorizer="keys")
    key, other = new_key(), new_key()
    row = {"id": key.id, "digest": key.digest, "principal": "emil", "scopes": ""}
    stage.cloud.client("dynamodb").put_item(
        TableName=stage.names.table("keys"),
        Item={name: {"S": text} for name, text in row.items()},
    )
    emil = replace(nobody, sign=bearer(key.written))

    form = emil.ask("POST", "/uploads", {"name": "disc.png", "bytes": 7})
    assert form.status == 201, form.data
    assert emil.ask("GET", f"/jobs/{form.json()['id']}").json()["state"] == "waiting"
    assert nobody.ask("GET", "/models").status == 401
    for wrong in (other, key._replace(secret=other.secret)):
        assert replace(nobody, sign=bearer(wrong.written)).ask("GET", "/models").status == 403
