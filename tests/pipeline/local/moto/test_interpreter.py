"""moto's interpreter is imported without `moto.ec2`, which nothing here needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from pipeline.local.moto.interpreter import JobStatus

AS_SHIPPED: Final = "moto.stepfunctions.parser.models"
HERE: Final = "pipeline.local.cloud"


def loaded(statements: str, folder: Path) -> str:
    """Return what the statements print in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", statements], capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout.strip()


def test_moto_still_loads_ec2_and_the_local_cloud_does_not(pytestconfig: pytest.Config) -> None:
    script = "import sys, {}; print('moto.ec2' in sys.modules)"

    assert loaded(script.format(AS_SHIPPED), pytestconfig.rootpath) == "True"
    assert loaded(script.format(HERE), pytestconfig.rootpath) == "False"


def test_batch_can_still_be_imported(pytestconfig: pytest.Config) -> None:
    script = f"import {HERE}, moto.batch.utils as utils; print(*map(str.__str__, utils.JobStatus))"

    names = loaded(script, pytestconfig.rootpath).split()

    assert set(JobStatus) <= set(names)


def test_the_real_enum_is_used_where_it_is_loaded_already(pytestconfig: pytest.Config) -> None:
    place = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service"
    script = (
        f"import moto.batch.utils as utils, {HERE}, {place}.state_task_service_batch as task; "
        "print(task.JobStatus is utils.JobStatus)"
    )

    assert loaded(script, pytestconfig.rootpath) == "True"
