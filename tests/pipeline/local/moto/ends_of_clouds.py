"""Print what happens to executions that outlive their cloud: a JSON list of what was told.

Run in a process of its own, because it deletes all that moto holds.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from moto.events.models import Rule
from moto.server import ThreadedMotoServer

from pipeline.local.moto import compat, memory
from tests.pipeline.local.moto.machine import PASS, Machine

WAIT = {"Type": "Wait", "Seconds": 1}


def main() -> None:
    compat.apply()
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    machine = Machine(port)
    told: list[str] = []
    with compat.told_of_ends(lambda execution: told.append(execution.name)):
        machine.begin(WAIT, name="ends after the reset")
        _send_ends_to_a_queue(machine)
        _reset_while_an_end_is_sent(machine)
        while any("_execution_logic" in thread.name for thread in threading.enumerate()):
            time.sleep(0.02)
    server.stop()
    print(json.dumps(told))  # noqa: T201 - the answer


def _send_ends_to_a_queue(machine: Machine) -> None:
    machine.client("sqs").create_queue(QueueName="ends")
    events = machine.client("events")
    events.put_rule(Name="ends", EventPattern='{"source": ["aws.states"]}')
    queue = "arn:aws:sqs:us-east-1:123456789012:ends"
    events.put_targets(Rule="ends", Targets=[{"Id": "ends", "Arn": queue}])


def _reset_while_an_end_is_sent(machine: Machine) -> None:
    """Start the reset when an end is about to be sent; it should wait until that is done."""
    send, resets = Rule.send_to_targets, threading.Thread(target=memory.forget)

    def send_late(self: Any, *arguments: Any, **options: Any) -> None:
        resets.start()
        resets.join(0.5)
        send(self, *arguments, **options)

    Rule.send_to_targets = send_late
    machine.begin(PASS, name="ends during the reset")
    while resets.ident is None:
        time.sleep(0.02)
    resets.join()


if __name__ == "__main__":
    main()
