"""The watcher of the folder `goods-inbox/`: a loop inside the doorbell process; the flow's sweep makes up what it misses."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from actions.goods.folder import Watch
from kit.errors import DrehkreuzError

log = logging.getLogger(__name__)

PERIOD = 1.0  # seconds between two looks; a file is taken when two looks see it unchanged


def watch(stop: threading.Event) -> None:
    """Look until asked to end; a database that is away only delays."""
    seen = Watch()
    while not stop.wait(PERIOD):
        try:
            for name in seen.look():
                log.info("Wareneingangsordner: %s angenommen", name)
        except (SQLAlchemyError, DrehkreuzError, OSError) as fault:
            log.warning("Wareneingangsordner: %s", str(fault).strip())
            stop.wait(5.0)
