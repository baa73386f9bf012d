"""The last will of a supervisor: ends every process of its home when it is gone, however it went.

    python -m deployments.guard MARKER      (started by the supervisor, which holds the other end of our standard input)

The supervisor's end closes the pipe, `kill -9` included. Then everything that carries its marker in the environment is asked to
end, five seconds later it has to. The database follows by itself: nobody holds a lease on it any more.
"""

import os
import signal
import sys

from deployments.marker import MARKER
from kit.process import end_processes, marked

PATIENCE = 5.0


def main(marker: str) -> int:
    """Wait for the end of the pipe, then clear up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 512):
        pass
    end_processes(lambda: marked(MARKER, marker), PATIENCE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
