"""How long a start takes until portal, doorbell and Prefect's server answer: the first one of a new home, and the second.

python -m benchmarks.start
"""

import signal
import tempfile
from pathlib import Path

from tests.deployments.conftest import Services


def main() -> None:
    """Start twice, end each time; prints seconds."""
    with tempfile.TemporaryDirectory(prefix="drehkreuz-up-", ignore_cleanup_errors=True) as folder:
        services = Services(Path(folder))
        for name in ("first", "second"):
            services.start()
            services.wait_deployed()
            print(f"{name} start: {services.ready_after:.1f} s", flush=True)
            services.kill(signal.SIGTERM)


if __name__ == "__main__":
    main()
