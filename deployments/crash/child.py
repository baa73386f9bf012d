"""Children of the crash test: a parent that has everything loaded forks one process per start, which may die where it was told.

    python -m deployments.crash.child --log FILE [--load MODULE …]

Reads one JSON line per start and answers with one: a start costs a fork instead of three seconds of imports. An order has
`call` (`module:function`), `arguments`, `environment`, and for a flow `flow: true` with where it dies: at boundary `kill_at`
(of that `kind`), or killed from here `after` so many seconds. The answer has `code` (-9 killed), `boundaries`, `seconds`,
`cpu`, `place` (the last boundary; with `tell` also `places`, all of them) and `value`.
"""

import argparse
import gc
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deployments.crash.boundaries import Boundaries, install
from deployments.crash.company import TODAY
from kit import clock, steps
from kit.postgres import EmbeddedPostgres
from kit.process import die_with_parent
from kit.settings import home

HANGS = 300.0
"""Seconds after which a start counts as hanging."""


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


last_will = die_with_parent(signal.SIGKILL)
"""A start never outlives the parent of all starts: it would keep the database of the home running."""


def _in_child(order: dict[str, Any], log: Path, answer: int) -> None:
    """The forked process: do what was ordered, say what came of it, and end without clean-up."""
    code = 1
    last_will()
    try:
        os.environ.update(order.get("environment", {}))
        clock.set_today(TODAY)  # each start on the same day, also when midnight passes meanwhile
        boundaries = Boundaries(order.get("kill_at", 0), order.get("kind", ""), log)
        called, arguments = _load(order["call"]), order.get("arguments", {})
        if order.get("flow"):
            install(boundaries)
            steps.plain(called, **arguments)
            value = None
        else:
            value = called(**arguments)
        os.write(answer, json.dumps({"boundaries": boundaries.passed, "value": value}).encode())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was, the parent hears of it by the exit code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _start(order: dict[str, Any], log: Path) -> dict[str, Any]:
    reading, writing = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _in_child(order, log, writing)
    os.close(writing)
    limit = order.get("after") or HANGS
    told = b""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, started + limit - time.monotonic()))[0]:
            part = pipe.read(65536)
            if not part:
                break
            told += part
        else:
            os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    place = log.read_text("utf-8").splitlines() if order.get("flow") and log.exists() else []
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "place": place[-1] if place else "",
        "places": place if order.get("tell") else [],
        "hung": limit == HANGS and time.monotonic() - started > HANGS,
        **(json.loads(told) if told else {"boundaries": None, "value": None}),
    }


def _warm_up(modules: list[str]) -> None:
    """Load what every start needs, fonts and S3's descriptions of itself included, and keep it out of garbage collection."""
    import boto3

    from integrations.documents.engine import engine

    for module in ("deployments.crash.stock", "deployments.crash.tally", *modules):
        importlib.import_module(module)
    engine()
    sa.orm.configure_mappers()
    boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106
    )
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve until standard input ends. The database of the home runs as long as this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--load", action="append", default=[], help="load this module ahead")
    options = parser.parse_args()
    with EmbeddedPostgres(home(), durable=False).lease():  # only processes are killed here, never the machine
        _warm_up(options.load)
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            print(json.dumps(_start(json.loads(line), options.log)), flush=True)


if __name__ == "__main__":
    main()
