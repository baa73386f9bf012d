"""Children of the crash test: a parent that has everything loaded forks one process per start, which may die where it was told.

    python -m deployments.crash.child --log FILE

Reads one JSON line per start (`{"flow": "flows.x:x", "parameters": {...}, "kill_at": 17, "kind": ""}`) and answers with one
(`{"code": -9, "boundaries": null}`): a start costs a fork instead of three seconds of imports.
"""

import argparse
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from deployments.crash.boundaries import Boundaries, install
from kit import steps
from kit.postgres import database_for_home


def _load(flow: str) -> Any:
    module, _, name = flow.partition(":")
    return getattr(importlib.import_module(module), name)


def _in_child(order: dict[str, Any], log: Path, answer: int) -> None:
    """The forked process: run the flow plainly, write down how many boundaries it passed, and end without clean-up."""
    code = 1
    try:
        boundaries = Boundaries(order.get("kill_at", 0), order.get("kind", ""), log)
        install(boundaries)
        steps.plain(_load(order["flow"]), **order.get("parameters", {}))
        os.write(answer, str(boundaries.passed).encode())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was, the parent hears of it by the exit code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _start(order: dict[str, Any], log: Path) -> dict[str, Any]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _in_child(order, log, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        passed = pipe.read()
    _, status = os.waitpid(pid, 0)
    return {"code": os.waitstatus_to_exitcode(status), "boundaries": int(passed) if passed else None}


def main() -> None:
    """Serve until standard input ends. The database of the home runs as long as this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--flow", action="append", default=[], help="load this flow ahead")
    options = parser.parse_args()
    with database_for_home():
        for flow in options.flow:
            _load(flow)
        for line in sys.stdin:
            print(json.dumps(_start(json.loads(line), options.log)), flush=True)


if __name__ == "__main__":
    main()
