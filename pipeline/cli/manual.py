"""Print what `matteline up` shows: commands to try, and a line for each execution that ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pipeline.cli.printable import printable, printable_lines
from pipeline.declared.products import Product
from pipeline.local.cloud import CREDENTIALS, LocalCloud
from pipeline.local.deployment import NAMES, job_queues
from pipeline.operations.executions import Execution
from pipeline.session.runs import shown_output
from pipeline.session.subscriptions import Subscriptions

_UPLOADED: Final = ("cat.jpg", "talk.mp3")  # by the commands above those that start by hand


def instructions(cloud: LocalCloud) -> str:
    """Return commands to try, with this cloud's endpoint, buckets and ARNs."""
    aws = f"aws --endpoint-url {cloud.endpoint}"
    exports = " ".join(f"{name}={value}" for name, value in CREDENTIALS.items())
    defaults = cloud.blueprint.catalogue.defaults
    models = ", ".join(f"{model} ({container})" for container, model in defaults.items())
    ingest, output = NAMES.bucket("ingest"), NAMES.bucket("output")
    products = cloud.blueprint.products
    start_commands = "\n".join(_start_command(aws, product, ingest) for product in products)
    list_commands = "\n".join(_list_command(aws, product) for product in products)
    return f"""\
Open the page in a browser:
  {cloud.endpoint}/

Follow executions there, state by state (docs/console.md):
  {cloud.endpoint}/#/console

The local cloud answers on {cloud.endpoint}; default models: {models}.
In another terminal (`aws` is also in .venv/bin):

  export {exports}

Upload a photo, with or without options; upload it again to see a DUPLICATE:
  {aws} s3 cp cat.jpg s3://{ingest}/
  {aws} s3 cp cat.jpg s3://{ingest}/ --metadata matteline-crop=true,matteline-format=webp

Upload a recording or a film, with or without options:
  {aws} s3 cp talk.mp3 s3://{ingest}/
  {aws} s3 cp talk.mp3 s3://{ingest}/ --metadata matteline-language=de,matteline-denoise=true

Upload a photo to have its faces found and hidden, instead of a cutout:
  {aws} s3 cp party.jpg s3://{ingest}/ --metadata matteline-product=faces,matteline-redact=blur

{_batch_commands(aws, cloud)}Fetch the outputs and their records:
  {aws} s3 cp --recursive s3://{output}/ out/

Start an execution by hand (add "force": true to run a finished job again):
{start_commands}

See what happened (copy an ARN from the list into the second command):
{list_commands}
  {aws} stepfunctions get-execution-history --execution-arn ARN
  {aws} s3 cp --recursive s3://{NAMES.bucket("quarantine")}/ reasons/

Ask the HTTP API (docs/api.md):
  curl {cloud.api}/models

Find a face again (docs/collections.md: say why first, and whose consent you have):
  .venv/bin/matteline collections create --help

Find jobs, make keys, register webhooks (docs/operating.md):
  .venv/bin/matteline jobs list --endpoint-url {cloud.endpoint}

Follow the functions' logs:
  tail -f {cloud.logs}/*.log

Ctrl-C stops everything.
"""


def _batch_commands(aws: str, cloud: LocalCloud) -> str:
    """Return commands about jobs of AWS Batch; none in a cloud without it."""
    queues = job_queues(cloud.blueprint)
    if not queues:
        return ""
    ingest = NAMES.bucket("ingest")
    return f"""\
Have the model run in a job of AWS Batch, and list such jobs:
  {aws} s3 cp cat.jpg s3://{ingest}/ --metadata matteline-compute=batch
  {aws} batch list-jobs --job-queue {queues[0].name} --job-status SUCCEEDED

"""


def _start_command(aws: str, product: Product, ingest: str) -> str:
    uploaded = (name for name in _UPLOADED if Path(name).suffix in product.suffixes)
    key = next(uploaded, f"example{product.suffixes[0]}" if product.suffixes else _UPLOADED[0])
    arn = NAMES.machine_arn(product.machine)
    return (
        f"  {aws} stepfunctions start-execution --state-machine-arn {arn} \\\n"
        f"""    --input '{{"bucket": "{ingest}", "key": "{key}"}}'"""
    )


def _list_command(aws: str, product: Product) -> str:
    arn = NAMES.machine_arn(product.machine)
    return f"  {aws} stepfunctions list-executions --state-machine-arn {arn}"


def narrate(subscriptions: Subscriptions, say: Callable[[str], None]) -> None:
    """Call `say` with a line for every execution that ends, until interrupted."""
    with subscriptions.of("") as news:
        while True:
            told = news.get()
            if isinstance(told, Execution):
                say(printable_lines(_line(told)))


def _line(execution: Execution) -> str:
    begin = f"{execution.verdict:11} {printable(execution.key or execution.name)}  "
    if execution.status != "SUCCEEDED":
        return begin + execution.reason
    result = execution.output
    if execution.verdict == "DUPLICATE":
        return f"{begin}first: {result['first']['manifest']}"
    if execution.handed_to:
        return f"{begin}to {execution.handed_to}"
    spent = sum(execution.task_ms.values())
    has_files = "pictures" in result or "files" in result
    made = shown_output(result)["uri"] if has_files else result["manifest"]
    return f"{begin}{made}  {spent:,.0f} ms"
