"""Return True for each patch whose needless steps are still taken; for `defects`."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from tests.pipeline.local.moto.machine import PASS, Machine

UPDATE: Final[Any] = {
    "TableName": "updated",
    "Key": {"id": {"S": "a"}},
    "UpdateExpression": "SET a = :a, b = :a, c = :a, d = :a REMOVE e",
    "ExpressionAttributeValues": {":a": {"S": "1"}},
}
MARKED: Final = "a dict with this name in it"


def waste(machine: Machine) -> dict[str, bool]:
    dynamodb = machine.client("dynamodb")
    dynamodb.create_table(
        TableName="updated",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_item(**UPDATE)
    marked = json.dumps({MARKED: 1})
    run = calls(lambda: machine.run(PASS, name="copies", input=marked))
    update = calls(lambda: dynamodb.update_item(**UPDATE))
    return {
        "_copy_json_simply": run[MARKED] > 0,
        "_traverse_simply": update["nodes_to_be_processed"] > 0,
        "_count_actions_once": update["verify_action_counts"] > 1,
        "_spell_names_once": update["camelcase_to_underscores"] > 0,
        "_find_services_once": update["get_backend_for_host"] > 0,
    }


def calls(do: Callable[[], object]) -> Counter[str]:
    """Count the calls of all functions in new threads by name, and the copies of marked dicts."""
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            counted[frame.f_code.co_name] += 1
            if frame.f_code.co_name == "_deepcopy_dict" and MARKED in frame.f_locals["x"]:
                counted[MARKED] += 1

    threading.setprofile(count)
    try:
        do()
    finally:
        threading.setprofile(None)
    if not counted["dispatch"]:
        raise RuntimeError("no request was counted")
    return counted
