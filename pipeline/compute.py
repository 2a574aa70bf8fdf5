"""Where models run, in the words of declarations, contracts and options."""

from typing import Final, Literal

# A function of Lambda, a job of AWS Batch, or the function and, if it is too small or too slow, the
# job.
Compute = Literal["auto", "lambda", "batch"]
# What a stage has of AWS Batch: nothing, machines without GPUs, or also machines with GPUs.
BatchMachines = Literal["off", "cpu", "gpu"]
# The machines that a job needs.
JobMachines = Literal["cpu", "gpu"]
# Who goes first: uploads, then the objects of a backfill.
Lane = Literal["uploads", "backfill"]

LANES: Final[tuple[Lane, ...]] = ("uploads", "backfill")  # by priority, the highest first
