"""The API's address lets in whom the settings say, and tells on itself when it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.app import ROOT
from infra.function_stack import FunctionStack
from infra.queries import read_queries
from infra.settings import ApiSettings
from infra.storage_stack import StorageStack
from infra.web_stack import WebStack
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, deploy
from tests.infra.conftest import Templates
from tests.infra.policies import statements_of
from tests.infra.test_cfn_lint import problems

BLUEPRINT: Final = Blueprint.read(ROOT)
NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)
LAMBDA: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
API: Final = f"{LAMBDA}:matteline-dev-http-api:live"
AUTHORIZER: Final = f"{LAMBDA}:matteline-dev-key-authorizer"
PAGE: Final = "https://page.example"
JWT: Final = ApiSettings(
    authorizer="jwt", jwt_issuer="https://issuer.example/", jwt_audience=("shop", "app")
)
DOMAIN: Final = ApiSettings(
    domain="api.example.org",
    certificate=f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0123-4567",
)


def app() -> cdk.App:
    """Return an app with the repository's feature flags."""
    context = json.loads((ROOT / "infra" / "cdk.json").read_text())["context"]
    return cdk.App(context=context, analytics_reporting=False)


def web(settings: ApiSettings) -> Deployed:
    return deploy(template(settings))


def template(settings: ApiSettings) -> Mapping[str, Any]:
    stack = WebStack(app(), "web", blueprint=BLUEPRINT, names=NAMES, settings=settings)
    return Template.from_stack(stack).to_json()


@pytest.fixture(scope="module")
def stack(templates: Templates) -> Deployed:
    """The stack with its default settings."""
    return deploy(templates["matteline-dev-web"])


def only(stack: Deployed, kind: str) -> dict[str, Any]:
    (resource,) = stack.of(f"ApiGatewayV2::{kind}")
    return resource.properties


def routes(stack: Deployed) -> list[dict[str, Any]]:
    return [each.properties for each in stack.of("ApiGatewayV2::Route")]


def test_each_method_of_the_api_has_a_route_below_its_prefix(stack: Deployed) -> None:
    document = json.loads((ROOT / "containers/http_api/openapi.json").read_text())
    (server,) = document["servers"]
    methods = {method.upper() for path in document["paths"].values() for method in path}

    assert {"GET", "POST"} <= methods
    assert {each["RouteKey"] for each in routes(stack)} == {
        f"{method} {server['url']}/{{proxy+}}" for method in methods | {"HEAD"}
    }


def test_every_route_calls_the_live_version_with_payload_format_2(stack: Deployed) -> None:
    (integration,) = stack.of("ApiGatewayV2::Integration")

    assert {each["Target"] for each in routes(stack)} == {f"integrations/<{integration.id}>"}
    assert integration.properties["IntegrationType"] == "AWS_PROXY"
    assert integration.properties["IntegrationUri"] == API
    assert integration.properties["PayloadFormatVersion"] == "2.0"


@pytest.mark.parametrize(("authorizer", "called"), [("iam", {API}), ("keys", {API, AUTHORIZER})])
def test_api_gateway_may_call_these_functions_and_do_nothing_else(
    authorizer: Any, called: set[str]
) -> None:
    granted = [
        (statement["Action"], statement["Resource"])
        for role in web(ApiSettings(authorizer=authorizer)).of("IAM::Role")
        for statement in statements_of(role)
    ]

    assert {action for action, _ in granted} == {"lambda:InvokeFunction"}
    assert sorted(resource for _, resource in granted) == sorted(called)


def test_the_stack_needs_no_function_to_be_there(stack: Deployed) -> None:
    """Before its first release, the function of a container does not exist."""
    assert stack.of("Lambda::Permission") == []


def test_iam_authorises_unless_the_settings_choose_otherwise(stack: Deployed) -> None:
    assert {each["AuthorizationType"] for each in routes(stack)} == {"AWS_IAM"}
    assert stack.of("ApiGatewayV2::Authorizer") == []


def test_tokens_of_one_issuer_are_accepted_on_every_route() -> None:
    stack = web(JWT)
    (authorizer,) = stack.of("ApiGatewayV2::Authorizer")

    assert {(each["AuthorizationType"], each["AuthorizerId"]) for each in routes(stack)} == {
        ("JWT", f"<{authorizer.id}>")
    }
    assert authorizer.properties["JwtConfiguration"] == {
        "Issuer": "https://issuer.example/",
        "Audience": ["shop", "app"],
    }


def test_keys_are_judged_by_the_platforms_function_on_every_route() -> None:
    stack = web(ApiSettings(authorizer="keys"))
    (authorizer,) = stack.of("ApiGatewayV2::Authorizer")
    made = authorizer.properties

    assert {(each["AuthorizationType"], each["AuthorizerId"]) for each in routes(stack)} == {
        ("CUSTOM", f"<{authorizer.id}>")
    }
    assert made["AuthorizerUri"].endswith(f"/functions/{AUTHORIZER}/invocations")
    assert (made["AuthorizerPayloadFormatVersion"], made["EnableSimpleResponses"]) == ("2.0", True)
    assert made["IdentitySource"] == ["$request.header.Authorization"]
    assert 0 < made["AuthorizerResultTtlInSeconds"] <= 300


def test_the_function_that_judges_keys_exists(templates: Templates) -> None:
    releases = deploy(templates["matteline-dev-releases"])

    assert releases.one("Lambda::Function", FunctionName=AUTHORIZER.rpartition(":")[2])


def test_without_a_page_no_other_origin_may_call(stack: Deployed, templates: Templates) -> None:
    assert "CorsConfiguration" not in only(stack, "Api")
    storage = deploy(templates["matteline-dev-storage"])
    assert [
        each.id for each in storage.of("S3::Bucket") if "CorsConfiguration" in each.properties
    ] == []


def test_one_origin_may_call_without_cookies() -> None:
    stack = web(ApiSettings(page_origin=PAGE))
    allowed = only(stack, "Api")["CorsConfiguration"]

    assert allowed["AllowOrigins"] == [PAGE]
    assert allowed.get("AllowCredentials", False) is False
    assert set(allowed["AllowMethods"]) == {each["RouteKey"].split()[0] for each in routes(stack)}
    assert {"authorization", "content-type", "idempotency-key", "if-match", "prefer"} <= set(
        allowed["AllowHeaders"]
    )


def test_no_route_takes_what_browsers_ask_beforehand(stack: Deployed) -> None:
    """API Gateway answers OPTIONS itself where no route matches it."""
    taken = {each["RouteKey"].split()[0] for each in routes(stack)}

    assert {"ANY", "OPTIONS", "$default"} & taken == set()


def test_pages_of_one_origin_may_send_forms_and_read_results() -> None:
    made = StorageStack(
        app(),
        "s",
        resources=BLUEPRINT.resources,
        names=NAMES,
        page_origins=[PAGE],
        work_days={},
        key_users={},
        key_readers=[],
    )
    allowed = {
        bucket.properties["BucketName"]: [
            (rule["AllowedOrigins"], rule["AllowedMethods"])
            for rule in bucket.properties["CorsConfiguration"]["CorsRules"]
        ]
        for bucket in deploy(Template.from_stack(made).to_json()).of("S3::Bucket")
        if "CorsConfiguration" in bucket.properties
    }

    assert allowed == {
        NAMES.bucket("ingest"): [([PAGE], ["POST"])],
        NAMES.bucket("output"): [([PAGE], ["GET"])],
        NAMES.bucket("work"): [([PAGE], ["GET"])],
    }


def test_requests_of_all_callers_are_limited() -> None:
    limits = only(web(ApiSettings(rate=7, burst=9)), "Stage")["DefaultRouteSettings"]

    assert limits == {"ThrottlingRateLimit": 7, "ThrottlingBurstLimit": 9}


def test_the_default_stage_is_deployed_with_each_change(stack: Deployed) -> None:
    stage = only(stack, "Stage")

    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)


def test_requests_are_logged_for_as_long_as_the_settings_say() -> None:
    stack = web(ApiSettings(log_days=30))
    (group,) = stack.of("Logs::LogGroup")

    assert group.properties["RetentionInDays"] == 30
    destination = only(stack, "Stage")["AccessLogSettings"]["DestinationArn"]
    assert destination == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:<{group.id}>"


def test_a_line_of_the_log_says_what_happened_and_nothing_about_the_user(stack: Deployed) -> None:
    line = json.loads(only(stack, "Stage")["AccessLogSettings"]["Format"])
    said = set(line.values())

    assert {
        "$context.requestId",
        "$context.routeKey",
        "$context.status",
        "$context.responseLatency",
        "$context.integration.error",
        "$context.authorizer.error",
    } <= said
    for private in ("identity", "path", "claims", "header", "principal", "userAgent", "query"):
        assert [each for each in said if private.lower() in each.lower()] == []


def test_saved_queries_ask_the_log_for_what_it_has(stack: Deployed) -> None:
    line = json.loads(only(stack, "Stage")["AccessLogSettings"]["Format"])
    asked = {field for each in read_queries().values() if each.of == "api" for field in each.fields}

    assert asked
    assert asked - {"@timestamp"} <= line.keys()


def alarm(stack: Deployed, name: str) -> dict[str, Any]:
    return stack.one("CloudWatch::Alarm", AlarmName=f"matteline-dev-{name}").properties


def test_every_answer_that_failed_raises_an_alarm(stack: Deployed) -> None:
    errors = alarm(stack, "api-errors")
    (api,) = stack.of("ApiGatewayV2::Api")

    assert (errors["Namespace"], errors["MetricName"]) == ("AWS/ApiGateway", "5xx")
    assert errors["Dimensions"] == [{"Name": "ApiId", "Value": f"<{api.id}>"}]
    assert (errors["Statistic"], errors["Threshold"]) == ("Sum", 0)


def test_an_answer_that_was_asked_to_wait_is_not_slow(stack: Deployed) -> None:
    slow = alarm(stack, "api-slowness")

    assert (slow["MetricName"], slow["ExtendedStatistic"]) == ("Latency", "p99")
    assert 20_000 < slow["Threshold"] < 29_000


def test_the_rate_of_refusals_has_a_floor(stack: Deployed) -> None:
    refusals = alarm(stack, "api-refusals")
    (rate,) = (each["Expression"] for each in refusals["Metrics"] if "Expression" in each)
    counted = {
        each["Id"]: each["MetricStat"]["Metric"]["MetricName"]
        for each in refusals["Metrics"]
        if "MetricStat" in each
    }

    assert rate == "IF(requests >= 100, 100 * FILL(refused, 0) / requests, 0)"
    assert counted == {"requests": "Count", "refused": "4xx"}


def test_the_address_is_an_output(templates: Templates) -> None:
    (api,) = deploy(templates["matteline-dev-web"]).of("ApiGatewayV2::Api")
    address = templates["matteline-dev-web"]["Outputs"]["ApiAddress"]["Value"]

    assert address == {"Fn::Join": ["", [{"Fn::GetAtt": [api.id, "ApiEndpoint"]}, "/api"]]}


def test_a_domain_is_the_only_address() -> None:
    made = template(DOMAIN)
    stack = deploy(made)
    (domain,) = stack.of("ApiGatewayV2::DomainName")
    (stage,) = stack.of("ApiGatewayV2::Stage")
    (configuration,) = domain.properties["DomainNameConfigurations"]

    assert made["Outputs"]["ApiAddress"]["Value"] == "https://api.example.org/api"
    assert only(stack, "Api")["DisableExecuteApiEndpoint"] is True
    assert (configuration["CertificateArn"], configuration["SecurityPolicy"]) == (
        DOMAIN.certificate,
        "TLS_1_2",
    )
    assert only(stack, "ApiMapping")["Stage"] == f"<{stage.id}>"


def test_without_a_domain_the_stack_has_none(stack: Deployed) -> None:
    assert stack.of("ApiGatewayV2::DomainName") == []
    assert only(stack, "Api")["DisableExecuteApiEndpoint"] is False


def function_template(container: str, settings: ApiSettings) -> Mapping[str, Any]:
    """Return the template of a container's functions."""
    (declared,) = (each for each in BLUEPRINT.functions if each.manifest.name == container)
    made = FunctionStack(
        app(),
        "functions",
        manifest=declared.manifest,
        functions=[declared],
        names=NAMES,
        accepted_licences=(),
        api=settings,
    )
    return Template.from_stack(made).to_json()


def function(container: str, settings: ApiSettings) -> dict[str, Any]:
    """Return the properties of a container's one function, once it is released."""
    released = deploy(function_template(container, settings), ImageDigestHex="ab" * 32)
    return released.one("Lambda::Function").properties


def test_the_api_alone_gets_the_documents_address_and_its_operators() -> None:
    docs, operators = "https://docs.example/matteline", ("AIDAEXAMPLE", "AROAEXAMPLE:desk")
    settings = ApiSettings(docs=docs, operators=operators)
    expected = {"MATTELINE_DOCS": docs, "MATTELINE_OPERATORS": "AIDAEXAMPLE AROAEXAMPLE:desk"}

    def variables(container: str) -> Mapping[str, str]:
        found: Mapping[str, str] = function(container, settings)["Environment"]["Variables"]
        return found

    assert expected.items() <= variables("http-api").items()
    assert not expected.keys() & variables("edge-refiner").keys()


@pytest.mark.parametrize(
    "settings", [JWT, DOMAIN, ApiSettings(authorizer="keys", page_origin=PAGE)]
)
def test_cfn_lint_finds_nothing_whatever_the_settings(settings: ApiSettings) -> None:
    assert problems(template(settings), {}) == []


def context(**given: object) -> Callable[[str], object]:
    return {f"matteline:api_{name}": value for name, value in given.items()}.get


def test_settings_are_texts_on_the_command_line() -> None:
    settings = ApiSettings.from_context(
        context(
            authorizer="jwt",
            jwt_issuer="https://issuer.example/",
            jwt_audience="shop app",
            rate="7",
            page_origin="",
        )
    )

    assert settings == JWT.model_copy(update={"rate": 7})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"authorizer": "none"}, "'iam', 'jwt' or 'keys'"),
        ({"authorizer": "jwt"}, "needs api_jwt_issuer and api_jwt_audience"),
        ({"authorizer": "jwt", "jwt_issuer": "https://a.example"}, "needs api_jwt_issuer and"),
        ({"jwt_audience": "shop"}, "need api_authorizer jwt"),
        ({"authorizer": "keys", "jwt_issuer": "https://a.example"}, "need api_authorizer jwt"),
        ({"domain": "api.example.org"}, "must be set together"),
        ({"certificate": DOMAIN.certificate}, "must be set together"),
        ({"domain": "https://api.example.org", "certificate": DOMAIN.certificate}, "domain"),
        ({"page_origin": "*"}, "page_origin"),
        ({"page_origin": "http://page.example"}, "page_origin"),
        ({"page_origin": "https://page.example/"}, "page_origin"),
        ({"docs": "https://docs.example/"}, "docs"),
        ({"operators": "arn:aws:iam::123456789012:user/olga"}, "operators"),
        ({"rate": 0}, "rate"),
        ({"burst": 0}, "burst"),
        ({"log_days": 31}, "CloudWatch keeps logs for 1, 3, 5"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ApiSettings.from_context(context(**given))
