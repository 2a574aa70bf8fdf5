"""The page is private behind CloudFront, with the local cloud's headers, and users sign in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from infra.app import ROOT, make_app
from infra.page_settings import PageSettings
from infra.page_stack import PageStack
from infra.settings import ApiSettings
from pipeline.declared.names import Names
from pipeline.declared.page import security_headers
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, deploy
from tests.infra.conftest import Templates, read_templates
from tests.infra.policies import listed
from tests.infra.test_cfn_lint import problems
from tests.infra.test_cost import month
from tests.infra.test_nag import findings, reviewed, unreviewed, unused

NAMES: Final = Names(
    "matteline-dev", account=ACCOUNT, region=REGION, bucket_suffix=f"-{ACCOUNT}-{REGION}"
)
HOST: Final = "api.example.org"
KEYS: Final = ApiSettings(authorizer="keys")
TOKENS: Final = ApiSettings(
    authorizer="jwt", jwt_issuer="https://issuer.example/pool", jwt_audience=("page",)
)
SIGN_IN: Final = PageSettings(
    api=TOKENS,
    client_id="page",
    scopes=("matteline/operator",),
    token_origin="https://users.example",  # noqa: S106 - an address
)
OWN: Final = PageSettings(
    api=KEYS,
    domain="photos.example.org",
    certificate=f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0123-4567",
    web_acl=f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/page/0123-4567",
)
ON: Final = {"matteline:page": "true", "matteline:api_authorizer": "keys"}
NO_CACHE: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS's CachingDisabled
ALL_BUT_HOST: Final = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AWS's AllViewerExceptHostHeader


def page_stack(settings: PageSettings) -> PageStack:
    context = json.loads((ROOT / "infra" / "cdk.json").read_text())["context"]
    app = cdk.App(context=context, analytics_reporting=False)
    return PageStack(app, "page", names=NAMES, settings=settings, api_host=HOST)


def template(settings: PageSettings) -> Any:
    return Template.from_stack(page_stack(settings)).to_json()


@pytest.fixture(scope="module")
def stack() -> Deployed:
    """The stack with keys and without a domain."""
    return deploy(template(PageSettings(api=KEYS)))


def distribution(stack: Deployed) -> dict[str, Any]:
    (made,) = stack.of("CloudFront::Distribution")
    configuration: dict[str, Any] = made.properties["DistributionConfig"]
    return configuration


def behaviours(stack: Deployed) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return those of the files and of the API."""
    made = distribution(stack)
    (api,) = made["CacheBehaviors"]
    return made["DefaultCacheBehavior"], api


def origin(stack: Deployed, behaviour: dict[str, Any]) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        each for each in distribution(stack)["Origins"] if each["Id"] == behaviour["TargetOriginId"]
    ]
    assert len(found) == 1
    return found[0]


def headers(stack: Deployed) -> dict[str, str]:
    """Return the headers that CloudFront sends, by name."""
    (policy,) = stack.of("CloudFront::ResponseHeadersPolicy")
    made = policy.properties["ResponseHeadersPolicyConfig"]
    security = made["SecurityHeadersConfig"]
    assert {each["Override"] for each in security.values()} == {True}
    hsts = security["StrictTransportSecurity"]
    sent = {each["Header"]: each["Value"] for each in made["CustomHeadersConfig"]["Items"]}
    return sent | {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "Strict-Transport-Security": f"max-age={hsts['AccessControlMaxAgeSec']}",
        **({"X-Content-Type-Options": "nosniff"} if "ContentTypeOptions" in security else {}),
    }


def policy_of(stack: Deployed) -> dict[str, list[str]]:
    text = headers(stack)["Content-Security-Policy"]
    return {name: words for name, *words in (part.split() for part in text.split("; "))}


def test_a_stage_has_no_page_unless_the_settings_ask_for_one(templates: Templates) -> None:
    assert "matteline-dev-page" not in templates
    assert "CloudFront" not in json.dumps(templates)


def test_the_files_are_in_a_private_bucket(stack: Deployed) -> None:
    (bucket,) = stack.of("S3::Bucket")
    made = bucket.properties

    assert made["BucketName"] == f"matteline-dev-page-{ACCOUNT}-{REGION}"
    assert set(made["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(made["PublicAccessBlockConfiguration"]) == 4
    assert "WebsiteConfiguration" not in made
    (rule,) = made["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_only_this_distribution_reads_the_bucket(stack: Deployed) -> None:
    (policy,) = stack.of("S3::BucketPolicy")
    (bucket,) = stack.of("S3::Bucket")
    (made,) = stack.of("CloudFront::Distribution")
    statements = policy.properties["PolicyDocument"]["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]

    assert {each["Principal"]["Service"] for each in allowed} == {"cloudfront.amazonaws.com"}
    assert {action for each in allowed for action in listed(each["Action"])} == {
        "s3:GetObject",
        "s3:ListBucket",
    }
    assert {arn for each in allowed for arn in listed(each["Resource"])} == {
        f"<{bucket.id}.Arn>",
        f"<{bucket.id}.Arn>/*",
    }
    for each in allowed:
        (source,) = each["Condition"]["StringEquals"].values()
        assert source == f"arn:aws:cloudfront::{ACCOUNT}:distribution/<{made.id}>"


def test_cloudfront_signs_what_it_asks_of_the_bucket(stack: Deployed) -> None:
    files, _ = behaviours(stack)
    (control,) = stack.of("CloudFront::OriginAccessControl")
    made = control.properties["OriginAccessControlConfig"]

    assert origin(stack, files)["OriginAccessControlId"] == f"<{control.id}.Id>"
    assert (made["SigningBehavior"], made["SigningProtocol"]) == ("always", "sigv4")


def test_a_file_is_read_only_compressed_and_looked_up_again(stack: Deployed) -> None:
    files, _ = behaviours(stack)
    (policy,) = stack.of("CloudFront::CachePolicy")
    made = policy.properties["CachePolicyConfig"]
    asked = made["ParametersInCacheKeyAndForwardedToOrigin"]

    assert files["AllowedMethods"] == ["GET", "HEAD"]
    assert files["ViewerProtocolPolicy"] == "redirect-to-https"
    assert files["Compress"] is True
    assert files["CachePolicyId"] == f"<{policy.id}>"
    assert (made["MinTTL"], made["DefaultTTL"], made["MaxTTL"]) == (1, 1, 1)
    assert (asked["EnableAcceptEncodingGzip"], asked["EnableAcceptEncodingBrotli"]) == (True, True)
    assert asked["QueryStringsConfig"] == {"QueryStringBehavior": "none"}  # nobody lists the bucket
    assert "OriginRequestPolicyId" not in files
    assert distribution(stack)["DefaultRootObject"] == "index.html"


def test_the_api_is_asked_each_time_with_all_but_the_host(stack: Deployed) -> None:
    _, api = behaviours(stack)

    assert api["PathPattern"] == "/api/*"
    assert set(api["AllowedMethods"]) == {
        "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE",
    }  # fmt: skip
    assert api["CachePolicyId"] == NO_CACHE
    assert api["OriginRequestPolicyId"] == ALL_BUT_HOST
    assert api["ViewerProtocolPolicy"] == "https-only"
    assert origin(stack, api)["DomainName"] == HOST
    assert origin(stack, api)["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginSSLProtocols": ["TLSv1.2"],
    }


def test_a_failure_is_neither_kept_for_another_user_nor_replaced(stack: Deployed) -> None:
    """CloudFront would answer everybody with it for ten seconds, whatever their token."""
    rules = distribution(stack)["CustomErrorResponses"]

    assert {each["ErrorCode"] for each in rules} >= {400, 403, 404, 405, 500, 502, 503, 504}
    assert {each["ErrorCachingMinTTL"] for each in rules} == {0}
    assert [each for each in rules if "ResponsePagePath" in each or "ResponseCode" in each] == []


def test_the_headers_are_the_local_clouds_but_for_hosts_and_hsts(stack: Deployed) -> None:
    sent = headers(stack)
    hosts = [each for each in policy_of(stack)["connect-src"] if each != "'self'"]

    assert sent == security_headers(hosts) | {"Strict-Transport-Security": "max-age=31536000"}
    for behaviour in behaviours(stack):
        (policy,) = stack.of("CloudFront::ResponseHeadersPolicy")
        assert behaviour["ResponseHeadersPolicyId"] == f"<{policy.id}>"


def test_the_page_reaches_the_buckets_that_the_api_signs_for_and_no_other_host(
    stack: Deployed,
) -> None:
    wanted = {
        f"https://matteline-dev-{bucket}-{ACCOUNT}-{REGION}.{host}.amazonaws.com"
        for bucket in ("ingest", "output", "work")
        for host in (f"s3.{REGION}", "s3")
    }

    assert set(policy_of(stack)["connect-src"]) == {"'self'", *wanted}
    assert set(policy_of(stack)["img-src"]) == {"'self'", "blob:", *wanted}
    assert policy_of(stack)["script-src"] == ["'self'"]


def test_tokens_are_fetched_where_the_issuer_gives_them() -> None:
    given = policy_of(deploy(template(SIGN_IN)))["connect-src"]
    plain = SIGN_IN.model_copy(update={"token_origin": None})

    assert "https://users.example" in given
    assert "https://issuer.example" not in given
    assert "https://issuer.example" in policy_of(deploy(template(plain)))["connect-src"]


@pytest.mark.parametrize(
    ("settings", "sign_in"),
    [
        (PageSettings(api=KEYS), {"kind": "key"}),
        (
            SIGN_IN,
            {
                "kind": "tokens",
                "issuer": "https://issuer.example/pool",
                "client_id": "page",
                "scope": "openid matteline/operator",
                "token_origin": "https://users.example",
            },
        ),
    ],
)
def test_who_publishes_the_page_learns_how_users_sign_in(
    settings: PageSettings, sign_in: dict[str, object]
) -> None:
    assert json.loads(template(settings)["Outputs"]["PageSignIn"]["Value"]) == sign_in


def test_a_domain_has_a_certificate_and_tls_1_2() -> None:
    made = template(OWN)
    configuration = distribution(deploy(made))

    assert configuration["Aliases"] == ["photos.example.org"]
    assert configuration["ViewerCertificate"] == {
        "AcmCertificateArn": OWN.certificate,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    assert configuration["WebACLId"] == OWN.web_acl
    assert made["Outputs"]["PageAddress"]["Value"] == "https://photos.example.org"


def test_without_a_domain_the_address_is_cloudfronts(stack: Deployed) -> None:
    (made,) = stack.of("CloudFront::Distribution")
    address = template(PageSettings(api=KEYS))["Outputs"]["PageAddress"]["Value"]

    assert address == {"Fn::Join": ["", ["https://", {"Fn::GetAtt": [made.id, "DomainName"]}]]}
    assert "WebACLId" not in distribution(stack)


def test_browsers_get_http_2_and_3(stack: Deployed) -> None:
    assert distribution(stack)["HttpVersion"] == "http2and3"


def test_cdk_warns_of_nothing() -> None:
    warnings = Annotations.from_stack(page_stack(OWN)).find_warning("*", Match.any_value())

    assert [each.entry.data for each in warnings] == []


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> cdk.App:
    given = ON | {
        "matteline:page_domain": OWN.domain,
        "matteline:page_certificate": OWN.certificate,
        "matteline:api_page_origin": "https://shop.example",
    }
    return make_app(outdir=tmp_path_factory.mktemp("on"), given=given)


def test_the_app_puts_the_page_before_its_own_api(app: cdk.App) -> None:
    made = read_templates(_synthesised(app))
    web, page = made["matteline-dev-web"], made["matteline-dev-page"]
    exported = {
        json.dumps(each["Value"]): each["Export"]["Name"]
        for each in web["Outputs"].values()
        if "Export" in each
    }
    (api,) = deploy(web).of("ApiGatewayV2::Api")
    stack = deploy(page)

    host = origin(stack, behaviours(stack)[1])["DomainName"]
    assert host == (f"<{exported[json.dumps({'Ref': api.id})]}>.execute-api.{REGION}.amazonaws.com")


def test_the_buckets_take_forms_of_the_page_on_its_domain_and_of_another(app: cdk.App) -> None:
    storage = deploy(read_templates(_synthesised(app))["matteline-dev-storage"])
    origins = {
        bucket.properties["BucketName"]: rule["AllowedOrigins"]
        for bucket in storage.of("S3::Bucket")
        for rule in bucket.properties.get("CorsConfiguration", {}).get("CorsRules", [])
    }

    assert origins == {
        NAMES.bucket(name): ["https://photos.example.org", "https://shop.example"]
        for name in ("ingest", "output", "work")
    }


def test_with_a_domain_of_the_api_that_is_where_it_is_asked() -> None:
    given = ON | {
        "matteline:api_domain": "api.example.org",
        "matteline:api_certificate": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0123-4567",
    }
    app = make_app(given=given)
    page = next(each for each in app.node.children if isinstance(each, PageStack))
    stack = deploy(Template.from_stack(page).to_json())

    assert origin(stack, behaviours(stack)[1])["DomainName"] == "api.example.org"


def test_every_finding_of_the_aws_solutions_rules_was_reviewed() -> None:
    found = [each for each in findings(make_app(given=ON)) if "-page/" in each.path]
    accepted = reviewed(ROOT, "nag_page.toml")

    assert unreviewed(found, accepted) == []
    assert unused(found, accepted) == []


@pytest.mark.parametrize("settings", [PageSettings(api=KEYS), SIGN_IN, OWN])
def test_cfn_lint_finds_nothing(settings: PageSettings) -> None:
    assert problems(template(settings), {}) == []


def test_at_rest_the_page_costs_nothing(stack: Deployed) -> None:
    assert set(month([stack]).values()) == {0}
    assert {each.type for each in stack} == {
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::ResponseHeadersPolicy",
    }


IAM: Final[dict[str, object]] = {"page": "true"}
TOKENS_ON: Final[dict[str, object]] = {
    "page": "true",
    "api_authorizer": "jwt",
    "api_jwt_issuer": "https://issuer.example/",
    "api_jwt_audience": "page",
}
KEYS_ON: Final[dict[str, object]] = {"page": "true", "api_authorizer": "keys"}


def read(given: dict[str, object]) -> PageSettings | None:
    context = {f"matteline:{name}": value for name, value in given.items()}
    return PageSettings.from_context(context.get, ApiSettings.from_context(context.get))


@pytest.mark.parametrize("value", [True, "true"])
def test_settings_are_texts_on_the_command_line(value: object) -> None:
    given = TOKENS_ON | {"page": value, "page_client_id": "page", "page_scopes": "email phone"}

    settings = read(given)

    assert settings is not None
    assert (settings.client_id, settings.scopes) == ("page", ("email", "phone"))


@pytest.mark.parametrize("given", [{}, {"page": "false"}, {"page": ""}, {"page": False}])
def test_the_page_is_off_unless_it_is_on(given: dict[str, object]) -> None:
    assert read(given) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (IAM, "page needs api_authorizer jwt or keys: users of a browser have no credentials"),
        ({"page": "yes"}, "matteline:page is true or false, not 'yes'"),
        ({"page_domain": "photos.example.org"}, "page_domain needs matteline:page"),
        (TOKENS_ON, "page_client_id belongs to api_authorizer jwt, which needs it"),
        (KEYS_ON | {"page_client_id": "page"}, "page_client_id belongs to api_authorizer jwt"),
        (KEYS_ON | {"page_scopes": "email"}, "page_scopes and page_token_origin need"),
        (KEYS_ON | {"page_domain": "a.example.org"}, "must be set together"),
        (
            KEYS_ON
            | {
                "page_domain": "a.example.org",
                "page_certificate": f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/1",
            },
            "page_certificate must be in us-east-1",
        ),
        (
            KEYS_ON | {"page_web_acl": f"arn:aws:wafv2:eu-central-1:{ACCOUNT}:regional/webacl/a/1"},
            "page_web_acl must be one for CloudFront, in us-east-1",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    given: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        read(given)


def _synthesised(app: cdk.App) -> Path:
    return Path(app.synth().directory)
