"""The warehouse's part of the demo: the suppliers' despatch advices become tickets, assets and papers."""

import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from actions.assets import recording
from actions.goods import inbox, views
from kit.database import unit_of_work
from models.assets import Asset
from models.service_desk import Ticket, TicketKind

ADVICES = Path(__file__).resolve().parents[1] / "examples" / "despatch"
WAIT_SECONDS = 60.0


def receive_goods(say: Callable[[str], None]) -> None:
    """Put the five advices into the basket and wait for the doorbell; a second time they lie there already."""
    new = 0
    for path in sorted(ADVICES.iterdir()):
        with unit_of_work("demo") as session:
            new += inbox.receive(session, path.read_bytes(), file_name=path.name).new
    started = time.monotonic()
    while time.monotonic() - started < WAIT_SECONDS:
        with unit_of_work("demo") as session:
            if not inbox.waiting(session, limit=1) and not recording.unrecorded(session, limit=1):
                break
        time.sleep(0.1)
    with unit_of_work("demo") as session:
        found = views.receipts(session)
        tickets = session.scalar(
            sa.select(sa.func.count()).where(Ticket.kind == TicketKind.PICK_AND_PACK, Ticket.dedup_key.startswith("pick:"))
        )
        assets = session.scalar(sa.select(sa.func.count()).where(Asset.delivery_line_id.is_not(None)))
    differences = sum(int(row["differences"]) for row in found)
    say(f"{len(found)} Lieferavise, davon {new} neu: {tickets} Tickets »Kommissionieren und Packen«, {assets} Assets erfasst")
    say(f"{differences} Abweichungen warten auf Klärung (Portal, Wareneingang)" if differences else "alles stimmt")
