"""A burst of deliveries told over HTTP to the running house, Prefect's server killed in the middle.

    python -m benchmarks.goods_services [--burst 500]

Everything that `drehkreuz up` starts runs beside it; the portal's own process takes the calls. Printed is the time from the
first call until the last ticket stands, and whether any is lost or doubled.
"""

import argparse
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import httpx

from benchmarks.goods import _body, _stock, _tickets
from tests.deployments.conftest import Services, until


def _writer(address: str, token: str, numbers: range) -> None:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        for number in numbers:
            answer = client.post("/api/goods-receipts", content=_body(number), headers={"idempotency-key": f"k{number}"})
            assert answer.status_code == 202, answer.text


def _measure(services: Services, burst: int) -> None:
    from actions import api_tokens
    from kit.database import unit_of_work

    with services.here() as target:
        _stock(burst)
        with unit_of_work("benchmark") as session:
            token = api_tokens.issue(session, "Messung", [api_tokens.WAREHOUSE])
        before, started = _tickets(), time.monotonic()
        parts = [range(part, burst, 4) for part in range(4)]
        writers = [threading.Thread(target=_writer, args=(target.portal_url, token, part)) for part in parts]
        for writer in writers:
            writer.start()
        until(lambda: _tickets() - before > burst // 5, 120, "a fifth")
        os.kill(services.child("prefect"), signal.SIGKILL)
        print(f"Prefects Server beendet nach {time.monotonic() - started:.1f} s, {_tickets() - before} Tickets", flush=True)
        for writer in writers:
            writer.join()
        print(f"letzte Meldung angenommen nach {time.monotonic() - started:.1f} s", flush=True)
        until(lambda: _tickets() - before >= burst, 300, "all tickets")
        took = time.monotonic() - started
        print(
            f"Schwall von {burst} im laufenden Haus: alle Tickets nach {took:.1f} s, es sind {_tickets() - before}", flush=True
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--burst", type=int, default=500)
    with tempfile.TemporaryDirectory(prefix="drehkreuz-up-", ignore_cleanup_errors=True) as folder:
        services = Services(Path(folder))
        services.start()
        try:
            services.wait_deployed()
            _measure(services, parser.parse_args().burst)
        finally:
            services.kill(signal.SIGTERM)


if __name__ == "__main__":
    main()
