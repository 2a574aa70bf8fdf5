"""Name every resource of a deployment, by one rule for the local cloud and for AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PROJECT: Final = "matteline"
HTTP_API: Final = "http-api"  # the container of the one API, whatever else serves HTTP
VECTOR_INDEX: Final = "vector-index"  # the container that keeps collections
KEY_AUTHORIZER: Final = "key-authorizer"  # the zipped function that knows the API's keys
_LONGEST_FUNCTION: Final = 64  # characters, for a function and for the role of the same name
LOCAL_STAGE: Final = "local"
# What the names of a stage's stacks end with, in the order of their creation; those of functions
# come after the second one.
STACKS: Final = (
    *("storage", "access", "releases", "web", "pipeline", "observability"),
    *("page", "batch"),
)
_FUNCTIONS: Final = "functions-"


@dataclass(frozen=True)
class Names:
    """The names and ARNs of one deployment, all with one prefix.

    `account` and `region` may be CDK's tokens.

    Bucket names are shared by everybody on AWS: there, `bucket_suffix` tells ours apart.
    """

    prefix: str
    account: str
    region: str
    partition: str = "aws"
    bucket_suffix: str = ""
    qualifier: str | None = "live"  # a machine's alias; None where machines have none

    @property
    def stage(self) -> str:
        return self.prefix.removeprefix(f"{PROJECT}-")

    def bucket(self, name: str) -> str:
        return f"{self.prefix}-{name}{self.bucket_suffix}"

    def bucket_arn(self, name: str) -> str:
        return f"arn:{self.partition}:s3:::{self.bucket(name)}"

    def vector_bucket(self, name: str) -> str:
        """Return the name of a bucket of S3 Vectors, which is none of S3's."""
        return f"{self.prefix}-{name}{self.bucket_suffix}"

    def vector_bucket_arn(self, name: str) -> str:
        return f"{self.arn('s3vectors')}:bucket/{self.vector_bucket(name)}"

    def table(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def function(self, container: str, model: str | None = None) -> str:
        """Return the name of a container's function, for one model if given, and of its role."""
        name = "-".join(filter(None, [self.prefix, container, model]))
        if len(name) > _LONGEST_FUNCTION:
            raise ValueError(
                f"{name} has {len(name)} characters; AWS allows {_LONGEST_FUNCTION}: "
                "shorten the stage, or the model's name"
            )
        return name

    def function_arn(self, container: str, model: str | None = None) -> str:
        return f"{self.arn('lambda')}:function:{self.function(container, model)}"

    def operation(self, name: str, *, hook: bool = False) -> str:
        """Return a zipped function's name. CodeDeploy calls only hooks with its prefix."""
        return f"CodeDeployHook_{self.function(name)}" if hook else self.function(name)

    def operation_arn(self, name: str, *, hook: bool = False) -> str:
        return f"{self.arn('lambda')}:function:{self.operation(name, hook=hook)}"

    def job_definition(self, container: str, model: str) -> str:
        """Return the job definition of AWS Batch that runs a model of a container."""
        return self.function(container, model)

    def job_queue(self, machines: str, lane: str) -> str:
        """Return the queue of AWS Batch for jobs of a lane on machines with or without GPUs."""
        return f"{self.prefix}-{machines}-{lane}"

    def job_execution_role(self) -> str:
        """Return the role with which ECS starts the containers of jobs."""
        return f"{self.prefix}-batch-execution"

    def job_log_group(self, container: str) -> str:
        """Return the log group of a container's jobs; a stream begins with the job definition."""
        return f"/aws/batch/{self.prefix}-{container}"

    def batch_events_log_group(self) -> str:
        """Return the log group of what AWS Batch says of its queues."""
        return f"/aws/events/{self.prefix}-batch"

    def batch_flow_log_group(self) -> str:
        """Return the log group of the connections of AWS Batch's machines."""
        return f"/aws/vpc/{self.prefix}-batch"

    def log_group(self, function: str) -> str:
        """Return Lambda's default log group of a function."""
        return f"/aws/lambda/{function}"

    def data_key(self) -> str:
        """Return the alias of the key that encrypts the buckets."""
        return f"alias/{self.prefix}"

    def bucket_key(self, bucket: str) -> str:
        """Return the alias of a bucket's own key."""
        return f"{self.data_key()}-{bucket}"

    def role_arn(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def deployer(self) -> str:
        """Return the role with which CodeDeploy shifts traffic."""
        return f"{self.prefix}-codedeploy"

    def release_record(self, container: str) -> str:
        """Return the parameter that says which image of a container is live."""
        return f"/{self.prefix}/released/{container}"

    def repository(self, container: str) -> str:
        """Return the container's image repository, shared by the stages of an account."""
        return f"{PROJECT}/{container}"

    def machine(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def machine_arn(self, name: str) -> str:
        """Return the ARN to start: the alias on AWS, the state machine locally."""
        arn = self.unqualified_machine_arn(name)
        return f"{arn}:{self.qualifier}" if self.qualifier else arn

    def execution_arn(self, machine: str, name: str) -> str:
        return f"{self.arn('states')}:execution:{self.machine(machine)}:{name}"

    @property
    def execution_arn_prefix(self) -> str:
        """Return what the ARN of every execution of this deployment's machines begins with."""
        return f"{self.arn('states')}:execution:{self.machine('')}"

    def machine_of(self, execution_arn: str) -> str | None:
        """Return the declared name of an execution's machine; None if it is not of this stage."""
        if not execution_arn.startswith(self.execution_arn_prefix):
            return None
        return execution_arn.removeprefix(self.execution_arn_prefix).partition(":")[0]

    @property
    def execution_page(self) -> str:
        """Return the address of an execution's page in the console, up to its ARN."""
        home = f"https://console.aws.amazon.com/states/home?region={self.region}"
        return f"{home}#/v2/executions/details/"

    def unqualified_machine_arn(self, name: str) -> str:
        """Return the ARN without an alias, as metrics and events have it."""
        return f"{self.arn('states')}:stateMachine:{self.machine(name)}"

    def owns_stack(self, stack: str) -> bool:
        """Return True for a stack of this stage. The names of other stages may begin with its own.

        Stacks of containers that the stage had once are among them.
        """
        part = stack.removeprefix(f"{self.prefix}-")
        return part != stack and (part in STACKS or part.startswith(_FUNCTIONS))

    def function_stack(self, container: str) -> str:
        """Return the CloudFormation stack whose parameters say which image is live."""
        return f"{self.prefix}-functions-{container}"

    def build_project(self, container: str) -> str:
        return f"{self.prefix}-build-{container}"

    def build_log_group(self, project: str) -> str:
        """Return CodeBuild's default log group of a project."""
        return f"/aws/codebuild/{project}"

    def checks_project(self) -> str:
        return f"{self.prefix}-checks"

    def deploy_role(self, container: str) -> str:
        """Return the role that CloudFormation assumes to release the container."""
        return f"{self.prefix}-deploy-{container}"

    def deploy_role_arn(self, container: str) -> str:
        return self.role_arn(self.deploy_role(container))

    def release_alarm(self, container: str) -> str:
        """Return the alarm that fires if the version being released fails."""
        return f"{self.prefix}-release-{container}"

    def release_alarm_arn(self, container: str) -> str:
        return f"{self.arn('cloudwatch')}:alarm:{self.release_alarm(container)}"

    @property
    def provenance_key(self) -> str:
        """Return the alias of the key that builds sign with."""
        return f"alias/{self.prefix}-provenance"

    def metric_namespace(self) -> str:
        """Return the metric namespace of this stage alone."""
        return f"Matteline/{self.prefix}"

    def machine_log_group(self, machine: str) -> str:
        return f"/aws/vendedlogs/states/{self.machine(machine)}"

    def api(self) -> str:
        """Return the name of the HTTP API."""
        return f"{self.prefix}-api"

    def api_log_group(self) -> str:
        """Return the log group of the API's requests."""
        return f"/aws/vendedlogs/apis/{self.api()}"

    def alarm_topic(self) -> str:
        """Return the topic for alarms that fire or clear."""
        return f"{self.prefix}-alarms"

    def alarm_topic_arn(self) -> str:
        return f"{self.arn('sns')}:{self.alarm_topic()}"

    def webhook_secret(self, webhook_id: str) -> str:
        """Return the secret that signs the messages to a webhook."""
        return f"{self.prefix}/webhooks/{webhook_id}"

    def release_topic(self) -> str:
        """Return the topic for release results and failed builds."""
        return f"{self.prefix}-releases"

    def undelivered_queue(self, machine: str) -> str:
        """Return the dead-letter queue for events that did not start the machine."""
        return f"{self.machine(machine)}-undelivered"

    def arn(self, service: str) -> str:
        """Return the start of an ARN in this account and region, up to the kind of resource."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}"


def gpu_tag(version: str) -> str:
    """Return the tag of the GPU image of a container's version."""
    return f"{version}-gpu"


def stage_names(stage: str, *, account: str, region: str, partition: str = "aws") -> Names:
    """Return the names of a stage on AWS."""
    return Names(
        f"{PROJECT}-{stage}",
        account=account,
        region=region,
        partition=partition,
        bucket_suffix=f"-{account}-{region}",
    )


def names_of_function(arn: str, container: str) -> Names:
    """Return the names of the deployment that a container's function belongs to, from its ARN.

    Raises ValueError if the ARN is not that of the container's one function.
    """
    match arn.split(":"):
        case ["arn", partition, "lambda", region, account, "function", function, *_]:
            stage = function.removeprefix(f"{PROJECT}-").removesuffix(f"-{container}")
            if stage and function == f"{PROJECT}-{stage}-{container}":
                if stage == LOCAL_STAGE:
                    return LOCAL_NAMES
                return stage_names(stage, account=account, region=region, partition=partition)
    raise ValueError(f"{arn} is no function of {container}")


# moto knows no aliases of state machines.
LOCAL_NAMES: Final = Names(
    f"{PROJECT}-{LOCAL_STAGE}", account="123456789012", region="us-east-1", qualifier=None
)
