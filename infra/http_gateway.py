"""Define the HTTP API of API Gateway: its routes, authoriser, limits, access log and domain."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import ApiSettings
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import HTTP_API, KEY_AUTHORIZER, Names

_WAITS_MS: Final = 30_000  # the most that API Gateway allows
_REMEMBERS_S: Final = 60  # so a key that was revoked works for a minute
_HEADERS: Final = (
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "prefer",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
)
_HOUR_S: Final = 3600
# Neither who asked nor for what: no path, query, header, address or user.
_LOGGED: Final = {
    "time": "$context.requestTime",
    "request_id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "response_bytes": "$context.responseLength",
    "function_status": "$context.integration.status",
    "function_ms": "$context.integration.latency",
    "function_error": "$context.integration.error",
    "authorizer_error": "$context.authorizer.error",
    "error": "$context.error.message",
}


class _Description(NamedTuple):
    """What begins every path, as `/api`, and the methods of all paths."""

    prefix: str
    methods: list[str]


class HttpGateway(Construct):
    """API Gateway's HTTP API before the live version of the function of `http-api`.

    Each method of the API's description has a route below `/api`, so that a method which the API
    lacks never reaches the function. Above all, none matches OPTIONS: API Gateway answers for
    itself what a browser asks before it calls from another origin.
    """

    def __init__(
        self, scope: Construct, *, blueprint: Blueprint, names: Names, settings: ApiSettings
    ) -> None:
        super().__init__(scope, "Gateway")
        self._names, self._settings = names, settings
        (served,) = (each for each in blueprint.containers if each.name == HTTP_API)
        described = _description(blueprint.root / "containers" / served.folder / "openapi.json")
        api = apigateway.CfnApi(
            self,
            "Api",
            name=names.api(),
            description=served.summary,
            protocol_type="HTTP",
            cors_configuration=_cors(settings.page_origin, described.methods),
            disable_execute_api_endpoint=settings.domain is not None,
        )
        self.api_id = api.ref
        self._add_routes(described, f"{names.function_arn(served.name)}:live")
        stage = self._stage()
        self.host = f"{api.ref}.execute-api.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"
        self.address, self.domain_target = f"{api.attr_api_endpoint}{described.prefix}", ""
        if settings.domain:
            self.host = settings.domain
            self.address = f"https://{settings.domain}{described.prefix}"
            self.domain_target = self._domain(settings.domain, stage)

    def _add_routes(self, described: _Description, function: str) -> None:
        integration = apigateway.CfnIntegration(
            self,
            "Function",
            api_id=self.api_id,
            integration_type="AWS_PROXY",
            integration_uri=function,
            # A role, because a permission of the function could not exist before the function.
            credentials_arn=self._role("Caller", function).role_arn,
            payload_format_version="2.0",
            timeout_in_millis=_WAITS_MS,
        )
        kind, authorizer = self._authorization()
        for method in described.methods:
            apigateway.CfnRoute(
                self,
                method.capitalize(),
                api_id=self.api_id,
                route_key=f"{method} {described.prefix}/{{proxy+}}",
                target=f"integrations/{integration.ref}",
                authorization_type=kind,
                authorizer_id=authorizer,
            )

    def _authorization(self) -> tuple[str, str | None]:
        """Return how a route is authorised, and by which authoriser of ours, if any."""
        match self._settings.authorizer:
            case "iam":
                return "AWS_IAM", None
            case "jwt":
                return "JWT", self._tokens()
            case "keys":
                return "CUSTOM", self._keys()

    def _tokens(self) -> str:
        """Create the authoriser that accepts JSON Web Tokens of one issuer."""
        return apigateway.CfnAuthorizer(
            self,
            "Tokens",
            api_id=self.api_id,
            name="tokens",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=self._settings.jwt_issuer, audience=list(self._settings.jwt_audience)
            ),
        ).ref

    def _keys(self) -> str:
        """Create the authoriser that asks the platform's function who a key belongs to."""
        function = self._names.operation_arn(KEY_AUTHORIZER)
        region, partition = self._names.region, self._names.partition
        invoked = f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions"
        return apigateway.CfnAuthorizer(
            self,
            "Keys",
            api_id=self.api_id,
            name="keys",
            authorizer_type="REQUEST",
            identity_source=["$request.header.Authorization"],
            authorizer_uri=f"{invoked}/{function}/invocations",
            authorizer_credentials_arn=self._role("KeysCaller", function).role_arn,
            authorizer_payload_format_version="2.0",
            enable_simple_responses=True,
            authorizer_result_ttl_in_seconds=_REMEMBERS_S,
        ).ref

    def _role(self, construct_id: str, function: str) -> iam.Role:
        """Create a role that may call one function.

        No condition on who assumes it: API Gateway documents no source for roles. `iam:PassRole`
        limits who can give it to an API.
        """
        call = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function])
        return iam.Role(
            self,
            construct_id,
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            inline_policies={"call": iam.PolicyDocument(statements=[call])},
        )

    def _stage(self) -> apigateway.CfnStage:
        settings = self._settings
        log = logs.CfnLogGroup(
            self,
            "AccessLog",
            log_group_name=self._names.api_log_group(),
            retention_in_days=settings.log_days,
        )
        log.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        return apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=f"{self._names.arn('logs')}:log-group:{log.ref}",
                format=json.dumps(_LOGGED),
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=settings.rate, throttling_burst_limit=settings.burst
            ),
        )

    def _domain(self, name: str, stage: apigateway.CfnStage) -> str:
        """Give the API a name of its own; return the name that its DNS record must point to."""
        domain = apigateway.CfnDomainName(
            self,
            "Domain",
            domain_name=name,
            domain_name_configurations=[
                apigateway.CfnDomainName.DomainNameConfigurationProperty(
                    certificate_arn=self._settings.certificate,
                    endpoint_type="REGIONAL",
                    security_policy="TLS_1_2",
                )
            ],
        )
        apigateway.CfnApiMapping(
            self, "Mapping", api_id=self.api_id, domain_name=domain.ref, stage=stage.ref
        )
        return domain.attr_regional_domain_name


def _description(path: Path) -> _Description:
    """Read the API's OpenAPI document, which `make docs` writes. It leaves out HEAD."""
    document = json.loads(path.read_text(encoding="utf-8"))
    (server,) = document["servers"]
    methods = {method.upper() for each in document["paths"].values() for method in each}
    return _Description(server["url"], sorted(methods | {"HEAD"}))


def _cors(origin: str | None, methods: Sequence[str]) -> apigateway.CfnApi.CorsProperty | None:
    """Let pages of one origin call the API, without cookies."""
    if origin is None:
        return None
    return apigateway.CfnApi.CorsProperty(
        allow_origins=[origin],
        allow_methods=list(methods),
        allow_headers=list(_HEADERS),
        expose_headers=["*"],
        max_age=_HOUR_S,
    )
