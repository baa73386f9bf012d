"""Visits of one month as processes, each as if on a machine of its own: a home, a connection, one process that sets pages.

    python -m tests.billing.visitors MONTH HOME [HOME ...]

Prints the process ids (JSON), waits for all, and leaves `log/visit.jsonl` in each home.
"""

import json
import os
import sys
import traceback

from flows.monthly_billing import visit
from kit import log as logs
from kit import steps


def _visit(month: str, home: str, name: str) -> None:
    code = 1
    try:
        os.environ |= {"DREHKREUZ_HOME": home, "PGAPPNAME": name}
        logs.configure("visit", terminal=False)
        steps.plain(visit, month)
        code = 0
    except BaseException:  # noqa: BLE001 - told by the exit code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _tell(numbers: list[int]) -> None:
    sys.stdout.write(json.dumps(numbers) + "\n")
    sys.stdout.flush()


def main(month: str, homes: list[str]) -> int:
    pids = []
    for number, home in enumerate(homes):
        pid = os.fork()
        if pid == 0:
            _visit(month, home, f"visitor{number}")
        pids.append(pid)
    _tell(pids)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    _tell(codes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
