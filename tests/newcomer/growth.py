"""Adds the memo product to a copy of the repository: folders and files, and no edit."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]

TREE: Final = Path(__file__).with_name("tree")
CONTAINER: Final = "memo-reader"
SERVER: Final = "memo-server"  # it answers over HTTP
MODELS: Final = ("animals", "drinks")
MACHINE: Final = "memo"

# What a copy needs so that it runs, is synthesised, is built and is tested by its own contracts.
_COPIED: Final = ("buildspec", "containers", "infra", "pipeline", "state_machines", "tests")
_IGNORED: Final = shutil.ignore_patterns(
    "__pycache__", "node_modules", "cdk.out", "starter.npz", "newcomer"
)
# The words of the cutout machine, and those of a machine that reads memos.
_WORDS: Final = {
    "BackgroundRemover": "MemoReader",
    "RemoveBackground": "ReadMemo",
    "PublishCutout": "PublishMemo",
    "Cutout Ready": "Memo Ready",
    '"cutout"': '"memo"',
    '{"mask": ': '{"words": ',
    "$.plan.mask": "$.plan.words",
    "$.removal": "$.memo",
}
# Errors of photos and of hosted models: no task of the memo machine raises them.
_NEVER_RAISED: Final = ("NoSubject", "PhotoRefused", "ModelUnavailable")
_PROVENANCE: Final = {
    "metrics.$": "$.memo.metrics",
    "provenance.$": "$.memo.provenance",
}


def copy_repository(target: Path) -> Path:
    """Copy the repository to `target`, as a clean checkout has it."""
    for name in _COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=_IGNORED)
    for name in ("pyproject.toml", "CHANGELOG.md", ".dockerignore"):
        shutil.copyfile(ROOT / name, target / name)
    return target


def grow(tree: Path) -> None:
    """Add the memo product below `tree`: containers, their contracts, a machine, its route.

    Raises FileExistsError if one of its files would replace a file of the repository.
    """
    added = [path.relative_to(TREE) for path in TREE.rglob("*") if path.is_file()]
    if taken := [str(path) for path in added if (tree / path).exists()]:
        raise FileExistsError(f"the repository has {', '.join(taken)}")
    shutil.copytree(TREE, tree, dirs_exist_ok=True)
    locked = (tree / "containers" / "media_inspector" / "requirements.txt").read_text()
    for folder in ("memo_reader", "memo_server"):
        lock = tree / "containers" / folder / "requirements.txt"
        lock.write_text(_without_science(locked))
    machines = tree / "state_machines"
    cutout = (machines / "cutout.asl.json").read_text()
    (machines / f"{MACHINE}.asl.json").write_text(json.dumps(_memo_machine(cutout), indent=2))


def _without_science(locked: str) -> str:
    """The pins of a lock but for numpy and Pillow, which a reader of texts does not install."""
    pins = re.split(r"\n(?=[a-z])", locked)
    return "\n".join(pin for pin in pins if not pin.startswith(("numpy==", "pillow==")))


def _memo_machine(cutout: str) -> dict[str, Any]:
    """The cutout machine with one task of another product: all shared states as they are."""
    compact = json.dumps(json.loads(cutout))
    for word, other in _WORDS.items():
        compact = compact.replace(word, other)
    for name in _NEVER_RAISED:
        compact = re.sub(rf', "{name}"(?=[,\]])', "", compact)
    machine: dict[str, Any] = json.loads(compact)
    states = machine["States"]
    _run_in_functions_alone(states)
    states["PublishMemo"] = _publishing(states["PublishMemo"])
    del states["RefineEdges"]
    reading = states["ReadMemo"]
    del reading["Parameters"]["Payload"]["prompts.$"]
    reading["Parameters"]["Payload"]["output_stem.$"] = "$.job.output_stem"
    reading["Parameters"]["Payload"]["follows_latest.$"] = "$.job.follows_latest"
    reading["ResultSelector"] = {
        f"{name}.$": f"$.Payload.{name}"
        for name in ("list", "work_key", "output_key", "model", "metrics", "provenance")
    }
    reading["TimeoutSeconds"] = 45
    reading["Next"] = "PublishMemo"
    _describe(states)
    return machine


def _run_in_functions_alone(states: dict[str, Any]) -> None:
    """Leave out the job of AWS Batch, which a small task does without."""
    del states["ReadMemoOnBatch"], states["Inspect"]["Parameters"]["Payload"]["batch"]
    asked = states.pop("ReadMemoOnBatch?")
    for state in states.values():
        for rule in (state, *state.get("Choices", ())):
            if rule.get("Next") == "ReadMemoOnBatch?":
                rule["Next"] = asked["Default"]


def _publishing(pictures: dict[str, Any]) -> dict[str, Any]:
    """One copy to the output bucket in place of a picture's, with its retries."""
    copying: dict[str, Any] = pictures["ItemProcessor"]["States"]["CopyPicture"]
    copying["Comment"] = "Copy the list of words to the output bucket."
    copying["Parameters"]["Key.$"] = "$.memo.output_key"
    copying["Parameters"]["CopySource.$"] = "States.Format('${WorkBucket}/{}', $.memo.work_key)"
    copying["Next"] = "PublishRecord"
    return copying


def _describe(states: dict[str, Any]) -> None:
    """Say in the record, in the event and in the output what was made of a memo."""
    made = {"list.$": "States.Format('s3://${OutputBucket}/{}', $.memo.output_key)"}
    body = states["PublishRecord"]["Parameters"]["Body"]
    detail = states["Announce"]["Parameters"]["Entries"][0]["Detail"]
    done = states["Done"]["Parameters"]
    for document in (body, detail, done):
        for name in ("pictures.$", "weights_sha256.$", "subjects.$", "refinement.$"):
            document.pop(name, None)
        document.update(made)
    body["outputs.$"] = "States.Array($.memo.output_key)"
    body["tasks"] = {"Inspect.$": "$.inspection", "ReadMemo": _PROVENANCE}
