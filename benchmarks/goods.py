"""How fast a told delivery becomes a visible ticket: `python -m benchmarks.goods [--burst 500] [--single 40]`.

Against a throw-away PostgreSQL and the real doorbell process without a Prefect server. Printed are: HTTP answer to visible
ticket, one delivery at a time (idle); a burst by several writers until the last ticket stands, and against it the bare work,
that is the same bookings in one process without bell and HTTP, measured in the same run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Wareneingang messen")
    options.add_argument("--single", type=int, default=40)
    options.add_argument("--burst", type=int, default=500)
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="drehkreuz-goods-") as folder:
        os.environ["DREHKREUZ_HOME"] = folder
        os.environ.pop("PREFECT_API_URL", None)
        from kit.postgres import EmbeddedPostgres

        with EmbeddedPostgres(Path(folder)).lease():
            _measure(wanted.single, wanted.burst)
    return 0


def _measure(single: int, burst: int) -> None:
    from deployments.readiness import doorbell_answers
    from kit.database import Role, dispose_engines, engine
    from models import schema

    schema.upgrade()
    total = single + 2 * burst
    _stock(total)
    bell = subprocess.Popen([sys.executable, "-m", "deployments.doorbell"])
    try:
        while not doorbell_answers(1.0):
            time.sleep(0.2)
        client, headers = _client()
        waits = [_one(client, headers, number) for number in range(single)]
        print(f"einzeln, HTTP-Antwort bis Ticket: Median {statistics.median(waits):.2f} s, "
              f"95 % unter {statistics.quantiles(waits, n=20)[-1]:.2f} s ({single} Meldungen)")  # fmt: skip
        through = _burst(client, headers, range(single, single + burst))
    finally:
        bell.terminate()
        bell.wait(60)
    bare = _bare(range(single + burst, total))
    print(f"Schwall von {burst}: alle Tickets nach {through:.1f} s, {through / burst * 1000:.0f} ms je Meldung")
    print(f"bloßes Buchen derselben Zahl in einem Prozess: {bare:.1f} s; Verhältnis {through / bare:.2f}")
    _verify(total)
    for role in Role:
        engine(role).dispose()
    dispose_engines()


def _stock(count: int) -> None:
    from kit.database import unit_of_work
    from tests.goods import world

    with unit_of_work("benchmark", bulk=True) as session:
        customer, supplier = world.house_and_customer(session), world.supplier(session)
        notebook = world.product(session, "NB-1")
        for number in range(count):
            world.order(session, supplier, customer, notebook, 2, number=f"B-{number}", customer_order=f"KA-{number}")


def _client() -> tuple[object, dict[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fastapi.testclient import TestClient

    from actions import api_tokens
    from kit.database import unit_of_work
    from portal.app import create_app

    with unit_of_work("benchmark") as session:
        token = api_tokens.issue(session, "Messung", [api_tokens.WAREHOUSE])
    client = TestClient(create_app(), base_url="http://portal.example")
    return client, {"authorization": f"Bearer {token}", "content-type": "application/json"}


def _body(number: int) -> bytes:
    from tests.goods import world

    serials = [f"S{number}-1", f"S{number}-2"]
    return world.receipt_bytes(world.line("NB-1", 2, serials, number=f"B-{number}"), note=f"LS-{number}")


def _post(client: object, headers: dict[str, str], number: int) -> None:
    key = {"idempotency-key": f"k{number}"}
    answer = client.post("/api/goods-receipts", content=_body(number), headers=headers | key)  # type: ignore[attr-defined]
    assert answer.status_code == 202, answer.text


def _tickets() -> int:
    import sqlalchemy as sa

    from kit.database import unit_of_work
    from models.service_desk import Ticket

    with unit_of_work("benchmark") as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Ticket)) or 0


def _one(client: object, headers: dict[str, str], number: int) -> float:
    before = _tickets()
    _post(client, headers, number)
    started = time.monotonic()
    while _tickets() == before:
        time.sleep(0.01)
    return time.monotonic() - started


def _burst(client: object, headers: dict[str, str], numbers: range) -> float:
    goal = _tickets() + len(numbers)
    started = time.monotonic()
    writers = [
        threading.Thread(target=lambda part=part: [_post(client, headers, n) for n in numbers[part::4]]) for part in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    while _tickets() < goal:
        time.sleep(0.1)
    return time.monotonic() - started


def _bare(numbers: range) -> float:
    from actions.goods import inbox
    from kit.database import unit_of_work
    from tasks import goods_receipt as tasks

    for number in numbers:
        with unit_of_work("benchmark") as session:
            inbox.receive(session, _body(number), content_type="application/json")
    started = time.monotonic()
    tasks.book_waiting(tasks.Done())
    return time.monotonic() - started


def _verify(total: int) -> None:
    found = _tickets()
    print(f"{found} Tickets zu {total} Meldungen: {'keines verloren, keines doppelt' if found == total else 'FALSCH'}")


if __name__ == "__main__":
    raise SystemExit(main())
