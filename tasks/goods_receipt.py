"""Steps of the goods receipt. What each does: actions/goods/"""

import logging
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from actions.assets import recording
from actions.goods import booking, folder, inbox, papers
from kit import log as logs
from kit.database import unit_of_work
from kit.errors import DrehkreuzError
from kit.steps import Outcome, passing, show_table, step

log = logging.getLogger(__name__)

ACTOR = "flow:goods_receipt"
PAPERS_AT_ONCE = 8
"""Documents that one step sets."""


@dataclass(slots=True)
class Done:
    """What a run did."""

    booked: list[booking.Booked] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    unset: dict[papers.Paper, str] = field(default_factory=dict)
    """Papers that could not be set, and why; the others go on."""


@step(name="Gemeldete Lieferung vormerken")
def note_delivery(receipt: str) -> None:
    """An event names a delivery by `supplier/delivery note`. Known ones change nothing."""
    if "/" in receipt and not receipt.startswith("sha256:"):
        with unit_of_work(ACTOR) as session:
            inbox.nudge(session, receipt)


@step(name="Ordner leeren")
def collect_folder() -> int:
    """Put files of the watched folder into the basket. A file is moved only after its row is committed."""
    return folder.take_all()


@step(name="Wareneingang buchen")
def book_waiting(done: Done) -> int:
    """Book every row of the basket, each in a transaction of its own; tickets are visible when this ends."""
    count, last = 0, 0
    while True:
        with unit_of_work(ACTOR) as session:
            ids = inbox.waiting(session, after=last)
        if not ids:
            return count
        for item_id in ids:
            count += _book_one(item_id, done)
        last = ids[-1]


def _book_one(item_id: int, done: Done) -> int:
    with logs.bound(inbox_item=item_id):
        booked = _booked(item_id)
        if booked is None:
            return 0
        for each in (booked, *booked.others):
            logs.item("Lieferung gebucht", fault=each.parked, receipt=each.key, tickets=each.tickets)
    done.booked += [booked, *booked.others]
    return 1


def _booked(item_id: int) -> booking.Booked | None:
    try:
        with unit_of_work(ACTOR) as session:
            return booking.book(session, item_id)
    except DBAPIError as fault:
        if passing(fault):
            raise
        return _fault(item_id, fault)
    except Exception as fault:  # noqa: BLE001 - one poisoned row must not hold up the rest
        return _fault(item_id, fault)


def _fault(item_id: int, fault: Exception) -> booking.Booked | None:
    log.error("Wareneingangskorb, Zeile %d", item_id, exc_info=fault)
    with unit_of_work(ACTOR) as session:
        reason = booking.park_after_faults(session, item_id, str(fault) if isinstance(fault, DrehkreuzError) else repr(fault))
    return booking.Booked(f"Zeile {item_id}", parked=reason) if reason else None


@step(name="Assets und Lizenzen erfassen")
def record_assets(done: Done) -> int:
    """Record what the open deliveries hold. A second call finds nothing left."""
    with unit_of_work(ACTOR) as session:
        recording.retry_unpriced(session)
    count = 0
    while True:
        with unit_of_work(ACTOR) as session:
            ids = recording.unrecorded(session)
        progress = 0
        for delivery_id in ids:
            with logs.bound(delivery=delivery_id), unit_of_work(ACTOR) as session:
                recorded = recording.record(session, delivery_id)
            if recorded is not None:
                progress += 1
                done.counted["Assets"] += recorded.assets
                done.counted["Lizenzen"] += recorded.licences
                done.counted["Vertragspositionen"] += recorded.contract_lines
        count += progress
        if not progress:
            return count


@step(name="Papiere erstellen")
def render_papers(done: Done) -> int:
    """Set the next few pick lists, packing lists, delivery notes and labels; returns how many. 0: nothing is left.

    A receipt that comes in between goes first: its ticket never waits for more than one paper.
    """
    with unit_of_work(ACTOR) as session:
        wanted = papers.wanted(session, PAPERS_AT_ONCE, done.unset)
    made = 0
    for paper in wanted:
        if made and waiting():
            break
        try:
            with logs.bound(delivery=paper.delivery_id), unit_of_work(ACTOR) as session:
                made += papers.make(session, paper)
        except DBAPIError:
            raise
        except Exception as fault:  # noqa: BLE001 - one paper that cannot be set must not hold up the others
            log.warning("Lieferung %d, %s: %s", paper.delivery_id, paper.kind, fault)
            done.unset[paper] = str(fault)
    done.counted["Papiere"] += made
    return made


@step(name="Ausgang bereinigen")
def settle() -> int:
    """What is worked through needs no further run."""
    with unit_of_work(ACTOR) as session:
        return inbox.settle(session)


def waiting() -> bool:
    """Whether something lies in the basket."""
    with unit_of_work(ACTOR) as session:
        return bool(inbox.waiting(session, limit=1))


def tell(done: Done) -> Outcome:
    """One sentence for the operator, the decisions as a table, and what needs a person."""
    rows = [
        {
            "Lieferung": b.key,
            "Ergebnis": "geparkt" if b.parked else "schon gebucht" if b.again else "gebucht",
            "Tickets": ", ".join(b.tickets) or "–",
            "Klärung": b.parked or b.question or (f"{b.unasked} Abweichungen" if b.unasked else "–"),
        }
        for b in done.booked
    ]
    if rows:
        show_table("wareneingang", rows, "Was aus dem Korb geworden ist")
    items = [f"{b.key}: {b.parked}" for b in done.booked if b.parked]
    items += [f"Papier {paper.kind} der Lieferung {paper.delivery_id}: {why}" for paper, why in done.unset.items()]
    items += [f"{b.key}: Abweichungen klären, Aufgabe {b.question}" for b in done.booked if b.question]
    items += [f"{b.key}: {b.unasked} Abweichungen klären (Portal, Wareneingang)" for b in done.booked if b.unasked]
    tickets = sum(len(b.tickets) for b in done.booked)
    counted = "".join(f", {count} {name}" for name, count in done.counted.items() if count)
    return Outcome(f"Wareneingang: {len(done.booked)} Meldungen, {tickets} neue Tickets{counted}.", tuple(items))
