"""Check what an account needs before a stage can be deployed in it and work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
)

from pipeline.declared.names import PROJECT
from pipeline.operations.doctor.checking import Check, Finding, Said, fail, ok, warn
from pipeline.operations.stage.deployment import Deployment

_BOOTSTRAP: Final = "/cdk-bootstrap/hnb659fds/version"
_LEAST_BOOTSTRAP: Final = 6  # what CDK's synthesiser requires
_FEW_CALLS: Final = 100  # concurrent calls; an account starts with 10 or 1,000
_NEW_MEMORY_MB: Final = 3008  # no API tells whether it applies
_SOON: Final = timedelta(hours=1)
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNSUBSCRIBED: Final = frozenset({"SubscriptionRequiredException", "OptInRequired"})
_NO_QUOTA: Final = frozenset({"NoSuchResourceException"})
_ASK: Final = "Ask for more in the console of Service Quotas"
_BUILDS: Final = "Concurrently running builds for Linux/Medium environment"
# vCPUs of EC2 that jobs of AWS Batch run on, by the code of the quota: on demand and spot.
_VCPUS: Final = {"L-1216C47A": "Standard instances", "L-34B43A08": "Standard spot instances"}
_GPU_VCPUS: Final = {"L-DB2E81BA": "G and VT instances", "L-3819A6DF": "G and VT spot instances"}
# One call of each service that a stage uses, which costs nothing and changes nothing.
_SERVICES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "lambda": ("list_functions", {"MaxItems": 1}),
    "stepfunctions": ("list_state_machines", {"maxResults": 1}),
    "dynamodb": ("list_tables", {"Limit": 1}),
    "ecr": ("describe_registry", {}),
    "codebuild": ("list_projects", {}),
    "codedeploy": ("list_applications", {}),
    "signer": ("list_signing_profiles", {"maxResults": 1}),
    "events": ("list_rules", {"Limit": 1}),
    "apigatewayv2": ("get_apis", {"MaxResults": "1"}),
}


def check_credentials(session: Any) -> Finding:  # noqa: ANN401 - a boto3.Session
    """Say who asks, and until when; `fail` if the credentials do not work."""
    try:
        told = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        said = _refused(error)
    else:
        who = f"{told['Arn']} in account {told['Account']}"
        said = _lasting(who, getattr(session.get_credentials(), "_expiry_time", None))
        if told["Arn"].endswith(":root"):
            said = warn(who, "Use a role or a user of IAM: nothing limits the root user.")
    return Finding("credentials", said.verdict, said.found, said.do)


def _refused(error: BotoCoreError | ClientError) -> Said:
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        do = "Sign in again." if code in _EXPIRED else "Check your profile and its keys."
        return fail(f"AWS refused them: {code}", do)
    if isinstance(error, HTTPClientError | EndpointConnectionError):
        return fail(f"AWS does not answer: {error}", "Check the network and its proxies.")
    return fail(str(error), "Set AWS_PROFILE and AWS_REGION, or run `aws configure`.")


def _lasting(who: str, expiry: datetime | None) -> Said:
    if expiry is None:
        return ok(f"{who}; they do not expire")
    when = f"{who}; until {expiry:%Y-%m-%d %H:%M} UTC"
    if expiry - datetime.now(UTC) < _SOON:
        return warn(when, "Sign in again before you deploy: a deployment may take an hour.")
    return ok(when)


def _region(deployment: Deployment) -> Said:
    return ok(f"{deployment.site.names.region}, partition {deployment.site.names.partition}")


def _bootstrap(deployment: Deployment) -> Said:
    names, ssm = deployment.site.names, deployment.site.client("ssm")
    do = f"(cd infra && npx cdk bootstrap aws://{names.account}/{names.region})"
    try:
        version = int(ssm.get_parameter(Name=_BOOTSTRAP)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return fail("this account and region are not bootstrapped for CDK", do)
    if version < _LEAST_BOOTSTRAP:
        return fail(f"version {version}; CDK needs {_LEAST_BOOTSTRAP}", do)
    return ok(f"version {version}")


def _concurrency(deployment: Deployment) -> Said:
    told = deployment.site.client("lambda").get_account_settings()["AccountLimit"]
    limit = told["ConcurrentExecutions"]
    found = f"{limit:,} calls at a time"
    if limit >= _FEW_CALLS:
        return ok(found)
    large = [each for each in deployment.blueprint.functions if each.memory_mb > _NEW_MEMORY_MB]
    do = (
        f"{_ASK}: AWS Lambda, Concurrent executions (L-B99A9384), 1,000. New accounts have 10. "
        f"They may also limit a function to {_NEW_MEMORY_MB:,} MB, and {len(large)} functions have "
        "more: before the first release, ask AWS's support for 10,240 MB."
    )
    return warn(f"{found}: photos wait for each other", do)


def _step_functions(deployment: Deployment) -> Said:
    """Compare the quotas that apply with AWS's defaults: a new account's may be lower."""
    quotas = deployment.site.client("service-quotas")
    applied, usual = (
        {
            each["QuotaName"]: each["Value"]
            for page in quotas.get_paginator(operation).paginate(ServiceCode="states")
            for each in page["Quotas"]
        }
        for operation in ("list_service_quotas", "list_aws_default_service_quotas")
    )
    lower = [
        f"{name}: {value:,.0f} instead of {usual[name]:,.0f}"
        for name, value in sorted(applied.items())
        if value < usual.get(name, 0)
    ]
    if lower:
        return warn("; ".join(lower), f"{_ASK}: AWS Step Functions.")
    return ok(f"{len(applied)} quotas, none below AWS's default")


def _builds(deployment: Deployment) -> Said:
    quotas = deployment.site.client("service-quotas")
    pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="codebuild")
    values = {each["QuotaName"]: each["Value"] for page in pages for each in page["Quotas"]}
    do = f"{_ASK}: AWS CodeBuild, {_BUILDS}."
    if _BUILDS not in values:
        return Said("unknown", "Service Quotas does not list it", "Start a build to see.")
    if not values[_BUILDS]:
        return fail("no build may run", do)
    return ok(f"{values[_BUILDS]:,.0f} at a time")


def _batch_vcpus(deployment: Deployment) -> Said:
    if not deployment.batch:
        return ok("not checked: AWS Batch is off")
    quotas = deployment.site.client("service-quotas")
    wanted = _VCPUS | (_GPU_VCPUS if deployment.blueprint.batch == "gpu" else {})
    values = dict(_vcpus(quotas, wanted))
    found = "; ".join(f"{name}: {value:,.0f} vCPUs" for name, value in values.items())
    if none := [name for name, value in values.items() if not value]:
        return fail(found, f"{_ASK}: Amazon EC2, {', '.join(none)}.")
    least = max(job.batch.vcpus for job in deployment.blueprint.with_batch("cpu").jobs)
    if few := [name for name, value in values.items() if value < least]:
        return fail(f"{found}; a job needs {least}", f"{_ASK}: Amazon EC2, {', '.join(few)}.")
    return ok(found)


def _vcpus(quotas: Any, wanted: Mapping[str, str]) -> Iterator[tuple[str, float]]:  # noqa: ANN401
    for code, name in wanted.items():
        try:
            told = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NO_QUOTA:
                raise
            told = quotas.get_aws_default_service_quota(ServiceCode="ec2", QuotaCode=code)
        yield name, told["Quota"]["Value"]


def _scanning(deployment: Deployment) -> Said:
    site, wanted = deployment.site, str(deployment.settings.get("scanning", "basic")).upper()
    told = site.client("ecr").get_registry_scanning_configuration()["scanningConfiguration"]
    ours = [
        rule for rule in told.get("rules", ())
        if any(each["filter"] in {"*", f"{PROJECT}/*"} for each in rule["repositoryFilters"])
    ]  # fmt: skip
    found = f"{told['scanType'].lower()}, rules for {PROJECT}/*: {len(ours)}"
    if not ours:
        return warn(f"{found}: a release waits for a scan", "`make deploy` sets it.")
    if told["scanType"] != wanted:
        do = "`make deploy` sets it; another program of this account may have changed it."
        return warn(f"{found}; the setting says {wanted.lower()}", do)
    if wanted == "ENHANCED":
        (account,) = site.client("inspector2").batch_get_account_status()["accounts"]
        status = account["resourceState"]["ecr"]["status"]
        if status != "ENABLED":
            return fail(f"{found}; Amazon Inspector is {status}", "Turn on Amazon Inspector.")
    return ok(found)


def _vectors(deployment: Deployment) -> Said:
    site = deployment.site
    try:
        site.client("s3vectors").list_vector_buckets(maxResults=1)
    except EndpointConnectionError:
        do = "Choose another region, or keep collections in `segments`."
        return fail(f"S3 Vectors is not in {site.names.region}; the storage stack needs it", do)
    return ok("S3 Vectors answers")


def _bedrock(deployment: Deployment) -> Said:
    """Ask for each hosted model of the catalogue; nothing else needs Amazon Bedrock."""
    bedrock = deployment.site.client("bedrock")
    hosted = {
        row.name: row.hosted_model
        for row in deployment.blueprint.catalogue.rows
        if row.hosted_model
    }
    closed = []
    for name, model in hosted.items():
        told = bedrock.get_foundation_model_availability(modelId=_without_profile(model))
        if (told["authorizationStatus"], told["regionAvailability"]) != (
            "AUTHORIZED",
            "AVAILABLE",
        ):
            closed.append(name)
    if closed:
        do = "Only if you want them: open them in the Bedrock console and accept their terms."
        return warn(f"no access to {', '.join(closed)}", do)
    return ok(f"access to {', '.join(hosted)}" if hosted else "no model is hosted")


def _without_profile(model: str) -> str:
    """Return a model's ID without the region of its inference profile: `us.`, `eu.`, `apac.`."""
    first, _, rest = model.partition(".")
    return rest if first in {"us", "eu", "apac", "global"} else model


def _services(deployment: Deployment) -> Said:
    """Call each service once: AWS closes some to new accounts, or opens them hours later."""
    closed = []
    for service, (operation, arguments) in _SERVICES.items():
        try:
            getattr(deployment.site.client(service), operation)(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _UNSUBSCRIBED:
                raise
            closed.append(service)
        except EndpointConnectionError:
            closed.append(service)
    if closed:
        do = "A new account may have to wait some hours; else ask AWS's support, or another region."
        return fail(f"not open to this account here: {', '.join(closed)}", do)
    return ok(f"{', '.join(_SERVICES)} answer; no service is used that AWS closed to new accounts")


ACCOUNT_CHECKS: Final[tuple[Check[Deployment], ...]] = (
    Check("region", _region),
    Check("bootstrap", _bootstrap, ("ssm:GetParameter",)),
    Check(
        "services",
        _services,
        (
            "apigateway:GET",
            "codebuild:ListProjects",
            "codedeploy:ListApplications",
            "dynamodb:ListTables",
            "ecr:DescribeRegistry",
            "events:ListRules",
            "lambda:ListFunctions",
            "signer:ListSigningProfiles",
            "states:ListStateMachines",
        ),
    ),
    Check("Lambda concurrency", _concurrency, ("lambda:GetAccountSettings",)),
    Check(
        "Step Functions quotas",
        _step_functions,
        ("servicequotas:ListAWSDefaultServiceQuotas", "servicequotas:ListServiceQuotas"),
    ),
    Check("CodeBuild builds", _builds, ("servicequotas:ListServiceQuotas",)),
    Check(
        "AWS Batch vCPUs",
        _batch_vcpus,
        (
            "cloudformation:DescribeStacks",
            "servicequotas:GetAWSDefaultServiceQuota",
            "servicequotas:GetServiceQuota",
        ),
    ),
    Check(
        "ECR scanning",
        _scanning,
        ("ecr:GetRegistryScanningConfiguration", "inspector2:BatchGetAccountStatus"),
    ),
    Check("S3 Vectors", _vectors, ("s3vectors:ListVectorBuckets",)),
    Check("Bedrock models", _bedrock, ("bedrock:GetFoundationModelAvailability",)),
)
