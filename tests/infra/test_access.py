"""A function's role allows what its container and model declare, and nothing more."""

from __future__ import annotations

from typing import Final

import pytest

from infra.app import ROOT
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, deploy
from tests.infra.conftest import Templates
from tests.infra.policies import allows, listed, role, statements_of

BLUEPRINT: Final = Blueprint.read(ROOT)
NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)
MODELS: Final = [row.name for row in BLUEPRINT.catalogue.rows]
BEDROCK: Final = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile"
STABILITY: Final = "stability.stable-image-remove-background-v1:0"


@pytest.fixture(scope="module")
def access(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-access"])


def arn(path: str) -> str:
    """Return the ARN of `ingest/a/cat.jpg` in the stage's bucket."""
    bucket, slash, key = path.partition("/")
    return f"arn:aws:s3:::matteline-dev-{bucket}-{ACCOUNT}-{REGION}{slash}{key}"


@pytest.mark.parametrize(
    ("function", "action", "path"),
    [
        ("media-inspector", "s3:GetObject", "ingest/a/cat.jpg"),
        ("media-inspector", "s3:GetObjectVersion", "ingest/a/cat.jpg"),
        ("media-inspector", "s3:ListBucket", "ingest"),
        ("background-remover-u2net", "s3:GetObjectVersion", "ingest/a/cat.jpg"),
        ("background-remover-u2net", "s3:GetObject", "models/u2net/0123/manifest.json"),
        ("background-remover-u2net", "s3:GetObject", "models/u2net/0123/4567/lean.onnx"),
        ("background-remover-u2net", "s3:ListBucket", "models"),
        ("background-remover-u2net", "s3:PutObject", "work/0123/4567/mask.png"),
        ("background-remover-sam-vit-b", "s3:PutObject", "work/0123/4567/mask-1-2.png"),
        ("background-remover-sam-vit-b", "s3:GetObject", "work/embeddings/1/0123-6x9/45.npz"),
        ("background-remover-sam-vit-b", "s3:PutObject", "work/embeddings/1/0123-6x9/45.npz"),
        ("edge-refiner", "s3:GetObjectVersion", "ingest/a/cat.jpg"),
        ("edge-refiner", "s3:GetObject", "work/0123/4567/mask.png"),
        ("edge-refiner", "s3:PutObject", "work/0123/4567/cutout.webp"),
        ("edge-refiner", "s3:PutObject", "work/0123/4567/preview.png"),
        ("audio-reader-silero-vad", "s3:GetObjectVersion", "ingest/a/talk.mp3"),
        ("audio-reader-silero-vad", "s3:GetObject", "models/silero-vad/0123/manifest.json"),
        ("audio-reader-silero-vad", "s3:PutObject", "work/0123/4567/plan.json"),
        ("audio-reader-silero-vad", "s3:PutObject", "work/0123/4567/speech/0007.flac"),
        ("audio-reader-silero-vad", "s3:PutObject", "work/0123/4567/recorded.flac"),
        ("audio-reader-silero-vad", "s3:AbortMultipartUpload", "work/0123/4567/recorded.flac"),
        ("audio-reader-silero-vad", "s3:PutObject", "work/0123/4567/sound.flac"),
        ("audio-reader-silero-vad", "s3:AbortMultipartUpload", "work/0123/4567/sound.flac"),
        ("denoiser-deepfilternet3", "s3:GetObject", "work/0123/4567/recorded.flac"),
        ("denoiser-deepfilternet3", "s3:PutObject", "work/0123/4567/denoised.flac"),
        ("denoiser-deepfilternet3", "s3:AbortMultipartUpload", "work/0123/4567/denoised.wav"),
        ("denoiser-deepfilternet3", "s3:PutObject", "work/0123/4567/denoised/0007.flac"),
        ("denoiser-deepfilternet3", "s3:PutObject", "work/0123/4567/denoised/plan.json"),
        ("transcriber-whisper-base", "s3:GetObject", "work/0123/4567/denoised/0007.flac"),
        ("transcriber-whisper-base", "s3:PutObject", "work/0123/4567/windows/whisper-base/7.json"),
        ("diarizer-pyannote-campplus", "s3:GetObject", "work/0123/4567/plan.json"),
        ("diarizer-pyannote-campplus", "s3:GetObject", "work/0123/4567/denoised/plan.json"),
        ("diarizer-pyannote-campplus", "s3:GetObject", "work/0123/4567/speech/0007.flac"),
        ("diarizer-pyannote-campplus", "s3:GetObject", "work/0123/4567/denoised/0007.flac"),
        ("diarizer-pyannote-campplus", "s3:GetObject", "work/0123/4567/speakers/p/0003.json"),
        ("diarizer-pyannote-campplus", "s3:PutObject", "work/0123/4567/speakers/p/0003.json"),
        ("audio-tagger-efficientat-mn10-as", "s3:GetObject", "work/0123/4567/sound.flac"),
        ("audio-tagger-efficientat-mn10-as", "s3:PutObject", "work/0123/4567/tags.json"),
        ("transcript-writer", "s3:GetObjectVersion", "ingest/a/talk.mp3"),
        ("transcript-writer", "s3:GetObject", "work/0123/4567/windows/whisper-base/7.json"),
        ("transcript-writer", "s3:GetObject", "work/0123/4567/speakers/p/0003.json"),
        ("transcript-writer", "s3:PutObject", "work/0123/4567/transcript.vtt"),
        ("model-downloader", "s3:PutObject", "models/u2net/0123/u2net.onnx"),
        ("model-downloader", "s3:AbortMultipartUpload", "models/u2net/0123/u2net.onnx"),
        ("model-downloader", "s3:GetObject", "models/u2net/0123/claim.json"),
        ("model-downloader", "s3:DeleteObject", "models/u2net/0123/claim.json"),
        ("model-downloader", "s3:ListBucket", "models"),
        ("http-api", "s3:PutObject", "ingest/0123/4567/cat.jpg"),
        ("http-api", "s3:ListBucket", "ingest"),
        ("http-api", "s3:PutObject", "work/backfill/lists/0123/keys.jsonl"),
        ("http-api", "s3:GetObject", "work/backfill/0123/results/4567/FAILED_0.json"),
        ("http-api", "s3:GetObject", "output/0123/4567/cat_bg_removed.png"),
        ("http-api", "s3:GetObjectVersion", "ingest/0123/4567/talk.mp3"),
        ("http-api", "s3:PutObject", "output/0123/4567/talk_transcript.names.json"),
        ("http-api", "s3:DeleteObject", "output/0123/4567/cat_bg_removed.png"),
        ("http-api", "s3:GetObject", "quarantine/run-7/reason.json"),
        ("http-api", "s3:GetObject", "work/selections/0123/preview.jpg"),
        ("background-remover-sam-vit-b", "s3:PutObject", "work/selections/0123/preview.jpg"),
        ("background-remover-sam2-1-tiny", "s3:PutObject", "work/selections/0123/preview.jpg"),
        ("background-remover-sam2-1-tiny", "s3:GetObject", "work/embeddings/1/0123-6x9/45.npz"),
        ("vector-index", "s3:GetObject", "output/a/us_faces.record.json"),
        ("vector-index", "s3:GetObject", "output/a/us_faces.embeddings.safetensors"),
        ("vector-index", "s3:GetObject", "ingest/a/us.jpg"),
        ("vector-index", "s3:ListBucket", "ingest"),
        ("vector-index", "s3:GetObject", "collections/collections/staff/head.json"),
        ("vector-index", "s3:PutObject", "collections/collections/staff/head.json"),
        ("vector-index", "s3:AbortMultipartUpload", "collections/collections/staff/segments/12"),
        ("vector-index", "s3:DeleteObjectVersion", "collections/collections/staff/segments/12"),
        ("vector-index", "s3:ListBucketVersions", "collections"),
    ],
)
def test_a_function_may_do_its_work(
    access: Deployed, function: str, action: str, path: str
) -> None:
    assert allows(role(access, f"matteline-dev-{function}"), action, arn(path))


@pytest.mark.parametrize(
    ("function", "action", "path"),
    [
        ("media-inspector", "s3:PutObject", "ingest/a/cat.jpg"),
        ("media-inspector", "s3:GetObject", "models/u2net/0123/manifest.json"),
        ("background-remover-u2net", "s3:GetObject", "models/u2netp/0123/manifest.json"),
        ("background-remover-u2net", "s3:PutObject", "models/u2net/0123/u2net.onnx"),
        ("background-remover-u2net", "s3:PutObject", "work/embeddings/1/0123-6x9/45.npz"),
        ("background-remover-u2net", "s3:PutObject", "work/0123/4567/cutout.png"),
        ("background-remover-u2net", "s3:GetObject", "output/a/cat_bg_removed.png"),
        ("edge-refiner", "s3:GetObject", "models/u2net/0123/manifest.json"),
        ("edge-refiner", "s3:PutObject", "output/a/cat_bg_removed.png"),
        ("edge-refiner", "s3:GetObject", "work/embeddings/1/0123-6x9/45.npz"),
        ("audio-reader-silero-vad", "s3:PutObject", "work/0123/4567/windows/whisper-base/7.json"),
        ("audio-reader-silero-vad", "s3:PutObject", "output/a/talk_denoised.flac"),
        ("audio-reader-silero-vad", "s3:PutObject", "ingest/a/talk.mp3"),
        ("denoiser-deepfilternet3", "s3:GetObject", "ingest/a/talk.mp3"),
        ("denoiser-deepfilternet3", "s3:PutObject", "work/0123/4567/plan.json"),
        ("transcriber-whisper-base", "s3:GetObject", "ingest/a/talk.mp3"),
        ("transcriber-whisper-base", "s3:GetObject", "work/0123/4567/recorded.flac"),
        ("transcriber-whisper-base", "s3:PutObject", "work/0123/4567/speech/0007.flac"),
        ("diarizer-pyannote-campplus", "s3:GetObject", "ingest/a/talk.mp3"),
        ("diarizer-pyannote-campplus", "s3:GetObject", "work/0123/4567/recorded.flac"),
        (
            "diarizer-pyannote-campplus",
            "s3:PutObject",
            "work/0123/4567/windows/whisper-base/7.json",
        ),
        ("audio-tagger-efficientat-mn10-as", "s3:GetObject", "ingest/a/talk.mp3"),
        ("audio-tagger-efficientat-mn10-as", "s3:GetObject", "work/0123/4567/speech/0007.flac"),
        ("audio-tagger-efficientat-mn10-as", "s3:PutObject", "output/a/talk_tags.json"),
        ("transcript-writer", "s3:GetObject", "models/whisper-base/0123/manifest.json"),
        ("transcript-writer", "s3:GetObject", "work/0123/4567/speech/0007.flac"),
        ("transcript-writer", "s3:PutObject", "work/0123/4567/windows/whisper-base/7.json"),
        ("transcript-writer", "s3:PutObject", "output/a/talk_transcript.json"),
        ("model-downloader", "s3:GetObject", "ingest/a/cat.jpg"),
        ("model-downloader", "s3:DeleteObject", "models/u2net/0123/manifest.json"),
        ("model-downloader", "s3:GetObject", "quarantine/run-7/reason.json"),
        ("http-api", "s3:DeleteObject", "ingest/0123/4567/cat.jpg"),
        ("http-api", "s3:DeleteObjectVersion", "output/0123/4567/cat_bg_removed.png"),
        ("http-api", "s3:GetObject", "work/0123/4567/mask.png"),
        ("http-api", "s3:PutObject", "work/backfill/0123/results/4567/FAILED_0.json"),
        ("http-api", "s3:GetObject", "work/embeddings/1/e/p.npz"),
        ("background-remover-u2net", "s3:PutObject", "work/selections/0123/preview.jpg"),
        ("http-api", "s3:AbortMultipartUpload", "ingest/0123/4567/cat.jpg"),
        ("http-api", "s3:PutObject", "output/0123/4567/cat_bg_removed.png"),
        ("http-api", "s3:PutObject", "output/0123/4567/talk_transcript.record.json"),
        ("http-api", "s3:GetObject", "collections/collections/staff/head.json"),
        ("http-api", "s3:ListBucket", "collections"),
        ("vector-index", "s3:PutObject", "output/a/us_faces.record.json"),
        ("vector-index", "s3:GetObject", "output/a/us_bg_removed.png"),
        ("vector-index", "s3:DeleteObject", "ingest/a/us.jpg"),
        ("vector-index", "s3:DeleteObject", "output/a/us_faces.json"),
        ("vector-index", "s3:PutBucketVersioning", "collections"),
    ],
)
def test_a_function_may_do_nothing_else(
    access: Deployed, function: str, action: str, path: str
) -> None:
    assert not allows(role(access, f"matteline-dev-{function}"), action, arn(path))


TABLE: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/matteline-dev-jobs"
STATES: Final = f"arn:aws:states:{REGION}:{ACCOUNT}"
REMOVER: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:matteline-dev-background-remover"
INDEX: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:matteline-dev-vector-index"
GROUP: Final = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda"
RELEASING: Final = "matteline-dev-release-container"
PREPARING: Final = "matteline-dev-prepare-selection"


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("dynamodb:GetItem", TABLE, True),
        ("dynamodb:UpdateItem", TABLE, True),
        ("dynamodb:Query", f"{TABLE}/index/by-key", True),
        ("dynamodb:Query", f"{TABLE}/index/other", False),
        ("dynamodb:Scan", TABLE, False),
        ("dynamodb:Query", TABLE, False),
        ("dynamodb:PutItem", TABLE, False),
        ("dynamodb:DeleteItem", TABLE, True),
        ("dynamodb:BatchGetItem", TABLE, True),
        ("dynamodb:GetItem", TABLE.replace("jobs", "releases"), False),
        ("dynamodb:Scan", TABLE.replace("jobs", "releases"), True),
        ("dynamodb:PutItem", TABLE.replace("jobs", "releases"), False),
        ("dynamodb:PutItem", TABLE.replace("jobs", "requests"), True),
        ("dynamodb:Query", TABLE.replace("jobs", "requests"), False),
        ("dynamodb:BatchGetItem", TABLE.replace("jobs", "quotas"), True),
        ("dynamodb:UpdateItem", TABLE.replace("jobs", "quotas"), True),
        ("dynamodb:PutItem", TABLE.replace("jobs", "quotas"), False),
        ("dynamodb:DeleteItem", TABLE.replace("jobs", "quotas"), False),
        ("dynamodb:GetItem", TABLE.replace("jobs", "keys"), False),
        ("states:StartExecution", f"{STATES}:stateMachine:matteline-dev-cutout:live", True),
        ("states:StartExecution", f"{STATES}:stateMachine:matteline-dev-backfill:live", True),
        ("states:StopExecution", f"{STATES}:execution:matteline-dev-backfill:a", True),
        ("states:DescribeExecution", f"{STATES}:execution:matteline-dev-backfill:a", True),
        ("states:ListMapRuns", f"{STATES}:execution:matteline-dev-backfill:a", True),
        ("states:DescribeMapRun", f"{STATES}:mapRun:matteline-dev-backfill/a:b", True),
        ("states:DescribeMapRun", f"{STATES}:mapRun:matteline-dev-other/a:b", False),
        ("states:RedriveExecution", f"{STATES}:execution:matteline-dev-backfill:a", False),
        ("states:GetExecutionHistory", f"{STATES}:execution:matteline-dev-backfill:a", True),
        ("states:StartExecution", f"{STATES}:stateMachine:matteline-dev-reap-jobs:live", True),
        ("states:StartExecution", f"{STATES}:stateMachine:{RELEASING}:live", False),
        ("states:DescribeStateMachine", f"{STATES}:stateMachine:{RELEASING}", True),
        ("states:ListExecutions", f"{STATES}:stateMachine:{RELEASING}", True),
        ("states:GetExecutionHistory", f"{STATES}:execution:{RELEASING}:a", True),
        ("states:ListExecutions", f"{STATES}:stateMachine:matteline-other-cutout", False),
        ("states:StopExecution", f"{STATES}:execution:matteline-dev-cutout:a", True),
        ("states:DescribeExecution", f"{STATES}:execution:matteline-dev-cutout:a", True),
        ("states:GetExecutionHistory", f"{STATES}:execution:matteline-dev-cutout:a", True),
        ("states:StopExecution", f"{STATES}:execution:{RELEASING}:a", False),
        ("states:RedriveExecution", f"{STATES}:execution:matteline-dev-cutout:a", True),
        (
            "states:DescribeStateMachineForExecution",
            f"{STATES}:execution:matteline-dev-cutout:a",
            True,
        ),
        ("states:StartExecution", f"{STATES}:stateMachine:{PREPARING}:live", True),
        ("states:DescribeExecution", f"{STATES}:execution:{PREPARING}:a", True),
        ("states:StopExecution", f"{STATES}:execution:{PREPARING}:a", True),
        ("states:GetExecutionHistory", f"{STATES}:execution:{PREPARING}:a", True),
        ("states:RedriveExecution", f"{STATES}:execution:{PREPARING}:a", False),
        ("lambda:InvokeFunction", f"{REMOVER}-sam-vit-b:live", True),
        ("lambda:InvokeFunction", f"{REMOVER}-sam-vit-l:live", True),
        ("lambda:InvokeFunction", f"{REMOVER}-sam2-1-tiny:live", True),
        ("lambda:InvokeFunction", f"{REMOVER}-sam-vit-b", False),
        ("lambda:InvokeFunction", f"{REMOVER}-u2net:live", False),
        ("lambda:InvokeFunction", f"{INDEX}:live", True),
        ("lambda:InvokeFunction", INDEX, False),
        ("states:StartExecution", f"{STATES}:stateMachine:matteline-dev-collection:live", True),
        ("states:DescribeExecution", f"{STATES}:execution:matteline-dev-collection:a", True),
        ("states:StopExecution", f"{STATES}:execution:matteline-dev-collection:a", False),
        ("logs:FilterLogEvents", f"{GROUP}/matteline-dev-edge-refiner:*", True),
        ("logs:FilterLogEvents", f"{GROUP}/matteline-other-edge-refiner:*", False),
        ("logs:StartQuery", f"{GROUP}/matteline-dev-edge-refiner:*", False),
    ],
)
def test_the_api_may_use_what_it_answers_with_and_nothing_else(
    access: Deployed, action: str, resource: str, *, allowed: bool
) -> None:
    assert allows(role(access, "matteline-dev-http-api"), action, resource) is allowed


def test_the_console_shows_every_state_machine(access: Deployed) -> None:
    machines = Blueprint.read(ROOT).definitions

    for machine in machines:
        arn = f"{STATES}:stateMachine:matteline-dev-{machine}"
        assert allows(role(access, "matteline-dev-http-api"), "states:ListExecutions", arn), machine


def test_no_other_function_may_use_them(access: Deployed) -> None:
    assert who_may(access, "dynamodb:GetItem", TABLE) == {"matteline-dev-http-api"}
    started = f"{STATES}:stateMachine:matteline-dev-cutout:live"
    assert who_may(access, "states:StartExecution", started) == {"matteline-dev-http-api"}


@pytest.mark.parametrize("model", MODELS)
def test_a_function_reads_the_weights_of_its_own_model_only(access: Deployed, model: str) -> None:
    row = BLUEPRINT.catalogue.row(model)
    statements = role(access, f"matteline-dev-{row.container}-{model}")
    readable = [
        each
        for each in MODELS
        if allows(statements, "s3:GetObject", arn(f"models/{each}/0123/manifest.json"))
    ]

    assert readable == ([] if row.hosted else [model])


@pytest.mark.parametrize("model", MODELS)
def test_only_a_hosted_models_function_may_invoke_it(access: Deployed, model: str) -> None:
    row = BLUEPRINT.catalogue.row(model)
    statements = role(access, f"matteline-dev-{row.container}-{model}")

    assert allows(statements, "bedrock:InvokeModel", f"{BEDROCK}/us.{STABILITY}") == row.hosted
    assert not allows(statements, "bedrock:InvokeModel", f"{BEDROCK}/us.anthropic.claude-v2")


def test_a_profiles_model_may_be_invoked_only_through_the_profile(
    access: Deployed,
) -> None:
    statements = role(access, "matteline-dev-background-remover-stability-remove-background")
    (led,) = (each for each in statements if "foundation-model" in str(each["Resource"]))

    assert allows(
        [led], "bedrock:InvokeModel", f"arn:aws:bedrock:us-west-2::foundation-model/{STABILITY}"
    )
    assert led["Condition"] == {
        "StringEquals": {"bedrock:InferenceProfileArn": f"{BEDROCK}/us.{STABILITY}"}
    }


@pytest.mark.parametrize(
    "function", [each.name(NAMES) for each in BLUEPRINT.functions if each.manifest.access]
)
def test_the_data_key_is_used_through_s3_only(access: Deployed, function: str) -> None:
    (keyed,) = (each for each in role(access, function) if "DataKey" in str(each["Resource"]))

    assert "kms:Decrypt" in keyed["Action"]
    assert keyed["Condition"] == {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    writes = any(
        allows([each], "s3:PutObject", each_arn)
        for each in role(access, function)
        for each_arn in listed(each["Resource"])
    )
    assert ("kms:GenerateDataKey" in keyed["Action"]) == writes


@pytest.mark.parametrize("function", [each.name(NAMES) for each in BLUEPRINT.functions])
def test_a_role_is_assumed_by_lambda_and_writes_its_own_log(
    access: Deployed, function: str
) -> None:
    made = access.one("IAM::Role", RoleName=function)
    (trust,) = made.properties["AssumeRolePolicyDocument"]["Statement"]
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda"

    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert allows(statements_of(made), "logs:PutLogEvents", f"{log}/{function}:log-stream:today")
    assert not allows(statements_of(made), "logs:PutLogEvents", f"{log}/other:log-stream:today")


def test_every_function_has_a_role_and_a_log_group(access: Deployed) -> None:
    functions = {each.name(NAMES) for each in BLUEPRINT.functions}
    roles = {each.properties["RoleName"] for each in access.of("IAM::Role")}
    groups = {each.properties["LogGroupName"] for each in access.of("Logs::LogGroup")}

    assert roles == functions | {"matteline-dev-codedeploy"}
    assert groups == {f"/aws/lambda/{function}" for function in functions}


def test_only_tracing_is_allowed_on_all_resources(access: Deployed) -> None:
    wide = [
        action
        for made in access.of("IAM::Role")
        for statement in statements_of(made)
        for action in listed(statement["Action"])
        if "*" in listed(statement["Resource"]) or "*" in action
    ]

    assert set(wide) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_codedeploy_may_shift_traffic_and_no_more(access: Deployed) -> None:
    deployer = access.one("IAM::Role", RoleName="matteline-dev-codedeploy")

    assert deployer.properties["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"
    ]
    assert statements_of(deployer) == []


def test_only_the_downloader_may_read_gated_sources(grown: Templates) -> None:
    access = deploy(grown["matteline-dev-access"])
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:hub-token-a1B2c3"
    readers = {"matteline-dev-model-downloader"}

    assert who_may(access, "secretsmanager:GetSecretValue", secret) == readers
    assert (
        who_may(access, "s3:GetObject", "arn:aws:s3:::somebodys-weights/nets/tiny.onnx") == readers
    )
    assert who_may(access, "s3:GetObject", "arn:aws:s3:::somebodys-weights/nets/b.onnx") == set()
    assert who_may(access, "secretsmanager:GetSecretValue", f"{secret}-and-more") == set()


def who_may(access: Deployed, action: str, resource: str) -> set[str]:
    return {
        made.properties["RoleName"]
        for made in access.of("IAM::Role")
        if allows(statements_of(made), action, resource)
    }
