"""What lies ready before the first kill: the company, a month that only waits for its release, deliveries, letters.

Called in processes of the home; the answers are plain values.
"""

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from actions.billing import preview
from actions.company import import_folder
from actions.goods import inbox
from actions.mail import outbox
from deployments.crash.company import MONTH
from integrations.mail.types import MailTexts
from kit import clock
from kit.database import notify, unit_of_work
from models import schema
from models.parties import Customer, House
from models.plumbing import OutboxEvent

ACTOR = "crash-test"
LETTERS = 4


def fill(folder: str) -> dict[str, str]:
    """Fill an empty home. Returns what flows need to be told: the month's fingerprint."""
    schema.upgrade()
    with unit_of_work(ACTOR, bulk=True) as session:
        report = import_folder(session, Path(folder))
        if not report.ok:
            raise RuntimeError("\n".join(map(str, report.errors)))
    with unit_of_work(ACTOR) as session:
        seen = preview.build(session, preview.parse_month(MONTH))
        preview.remember(session, seen, clock.now())
    with unit_of_work(ACTOR) as session:
        house = session.scalars(sa.select(House)).one()
        customers = session.scalars(sa.select(Customer).order_by(Customer.number)).all()
        for number, customer in enumerate(customers):
            inbox.receive(session, _receipt(number), content_type="application/json")
            outbox.queue(session, house, [_letter(number, n, customer) for n in range(LETTERS // 2)])
        inbox.receive(session, b"LIN+1++unlesbar", file_name="kaputt.edi")
    return {"month": MONTH, "snapshot": seen.snapshot}


def arrive(number: int, deployment: str, parameters: dict[str, str]) -> None:
    """Something new for doorbell and relay: a delivery, a letter, a row that starts a run. The order's row lies ready."""
    lines = [{"product": "KAB-1", "quantity": 5, "order": f"N-{number}"}]
    with unit_of_work(ACTOR) as session:
        customers = session.scalars(sa.select(Customer).order_by(Customer.number)).all()
        inbox.receive(session, _told(f"LN-{number}", lines), content_type="application/json")
        outbox.queue(session, session.scalars(sa.select(House)).one(), [_letter(number, LETTERS, customers[number])])
        session.add(OutboxEvent(deployment=deployment, parameters=parameters, key=f"crash:{number}"))
        notify(session, "outbox_event")


def _receipt(number: int) -> bytes:
    return _told(
        f"LS-{number}",
        [
            {"product": "NB-1", "quantity": 2, "serials": [f"NB{number}-1", f"NB{number}-2"], "order": f"B-{number}"},
            {"product": "KAB-1", "quantity": 10, "order": f"B-{number}"},
        ],
    )


def _told(note: str, lines: list[dict[str, Any]]) -> bytes:
    return json.dumps({"supplier": "L-EINS", "delivery_note": note, "lines": lines}).encode()


def _letter(number: int, n: int, customer: Customer) -> outbox.NewMail:
    return outbox.NewMail(f"crash:{number}:{n}", "notice", (f"k{number}@kunde.example",), _texts(n), customer.id)


def _texts(number: int) -> MailTexts:
    return MailTexts(f"Mitteilung {number}", "Guten Tag.", "<p>Guten Tag.</p>")


def unclear() -> list[dict[str, Any]]:
    """Mails of which nobody knows whether they arrived: row and Message-ID."""
    with unit_of_work(ACTOR) as session:
        return [{"id": mail.id, "message_id": mail.message_id} for mail in outbox.mails(session, states=["unclear"])]


def resolve(mail: int, arrived: bool) -> None:
    """What docs/runbooks/mail-haengt.md tells a person to do."""
    with unit_of_work(ACTOR) as session:
        outbox.resolve_unclear(session, mail, arrived=arrived, actor="crash-test")


def make_bucket() -> None:
    """The archive of an episode, empty."""
    from actions.archive import store
    from integrations.archive.s3 import S3Archive

    archive = store()
    if isinstance(archive, S3Archive):
        archive.create_bucket()
