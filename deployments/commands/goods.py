"""`drehkreuz goods …`: the warehouse by hand."""

import time
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.goods import inbox, orders, views
from deployments.commands.shared import PERSON_NEEDED, open_session, print_json, print_table
from deployments.german import typer
from deployments.readiness import doorbell_answers
from kit import clock, steps
from kit.database import unit_of_work
from kit.errors import NotFoundError, UsageError
from kit.postgres import database_for_home
from models import schema
from models.plumbing import InboxItem, InboxState
from rules.receiving import amount

DOORBELL_SECONDS = 0.7
"""A living doorbell answers in milliseconds."""
WAIT_SECONDS = 30.0
"""How long the command waits for the doorbell before it books by itself; booking twice changes nothing."""

JsonOption = Annotated[bool, typer.Option("--json", help="als JSON auf die Standardausgabe")]
app = typer.Typer(help="Wareneingang: Lieferavise annehmen, Stand ansehen.", no_args_is_help=True)


@app.command("receive")
def receive_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lieferavis oder Wareneingangsmeldung", show_default=False)],
    supplier: Annotated[
        str, typer.Option("--supplier", help="Lieferantencode, falls die Datei ihn nicht nennt", show_default=False)
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Gibt ein Lieferavis in den Wareneingangskorb und bucht es: openTRANS, UBL, EDIFACT DESADV, CSV oder JSON."""
    raw = _read(file)
    with database_for_home():
        schema.upgrade()
        with unit_of_work("cli:goods receive") as session:
            received = inbox.receive(session, raw, file_name=file.name, supplier_code=supplier)
        if not _booked_by_doorbell(received.item_id):
            _book_here()
        with unit_of_work("cli:goods receive") as session:
            _tell(session, received, as_json=as_json)


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise UsageError(f"{file}: Die Datei gibt es nicht.")
    if file.stat().st_size > inbox.SIZE_LIMIT:
        raise inbox.TooLargeError(
            f"{file.name}: {file.stat().st_size // 1_000_000} MB sind zu viel für ein Lieferavis. Bitte prüfen Sie die Datei."
        )
    return file.read_bytes()


def _waits(item_id: int) -> bool:
    with unit_of_work("cli:goods receive") as session:
        state = session.scalar(sa.select(InboxItem.state).where(InboxItem.id == item_id))
        return state is InboxState.WAITING or bool(inbox.waiting(session, limit=1))


def _booked_by_doorbell(item_id: int) -> bool:
    """Whether the running services book it; they are given some seconds."""
    if not _waits(item_id):
        return True
    if not doorbell_answers(DOORBELL_SECONDS):
        return False
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if not _waits(item_id):
            return True
        time.sleep(0.1)
    return False


def _book_here() -> None:
    from flows.goods_receipt import goods_receipt

    steps.plain(goods_receipt)


def _tell(session: Session, received: inbox.Received, *, as_json: bool) -> None:
    item = session.get_one(InboxItem, received.item_id)
    parked = item.reason if item.state is InboxState.PARKED else None
    shown = views.receipts_of_item(session, item) if item.state is InboxState.DONE else []
    if as_json:
        told = {"key": received.key, "new": received.new, "parked": parked, "receipt": shown[0] if shown else None}
        print_json(told | ({"further": shown[1:]} if len(shown) > 1 else {}))
    elif parked:
        print(f"{received.key}: geparkt. {parked}")
    elif not shown:
        print(f"{received.key}: liegt im Wareneingangskorb.")
    for receipt in [] if as_json else shown:
        _print_receipt(receipt, new=received.new)
    if parked or any(receipt["differences"] for receipt in shown):
        raise typer.Exit(PERSON_NEEDED)


def _print_receipt(shown: dict[str, Any], *, new: bool) -> None:
    key = f"{shown['supplier']}/{shown['delivery_note']}"
    print(f"{key}: {'gebucht' if new else 'war schon gebucht, nichts geändert'}.")
    for delivery in shown["deliveries"]:
        print(f"  Ticket {delivery['ticket']}: {delivery['customer']}, Auftrag {delivery['customer_order'] or '–'}")
    for difference in shown["differences"]:
        print(f"  Abweichung: {difference['text']}")


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """Wareneingänge, der neueste zuerst."""
    with open_session("cli:goods list") as session:
        found = views.receipts(session)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            r["supplier"],
            r["delivery_note"],
            r["state"],
            r["received_at"],
            r["deliveries"],
            r["open_deliveries"],
            r["differences"],
        )
        for r in found
    ]
    headings = ("Lieferant", "Lieferschein", "Stand", "Eingang", "Lieferungen", "davon offen", "Abweichungen")
    print_table("Wareneingänge", headings, rows)


@app.command("show")
def show_command(
    key: Annotated[str, typer.Argument(metavar="SUPPLIER/NOTE", help="Lieferant/Lieferscheinnummer")],
    as_json: JsonOption = False,
) -> None:
    """Ein Wareneingang mit Positionen, Seriennummern, Lieferungen und Abweichungen."""
    supplier, _, note = key.partition("/")
    if not note:
        raise UsageError(f"{key}: Schreiben Sie Lieferant/Lieferscheinnummer, etwa L-FALKE/LS-884120.")
    with open_session("cli:goods show") as session:
        found = views.receipt_json(session, supplier, note)
    if as_json:
        print_json(found)
        return
    rows = [
        (li["number"], li["product"] or li["article"], li["quantity"], li["counted"], ", ".join(li["serials"]))
        for li in found["lines"]
    ]
    print_table(f"Wareneingang {key}: {found['state']}", ("Pos.", "Artikel", "Menge", "gezählt", "Seriennummern"), rows)
    rows = [(d["ticket"], d["customer"], d["customer_order"], d["state"], d["number"]) for d in found["deliveries"]]
    print_table("\nLieferungen", ("Ticket", "Kunde", "Auftrag", "Stand", "Lieferschein"), rows)
    if found["differences"]:
        print_table("\nAbweichungen", ("Art", "Was"), [(d["kind"], d["text"]) for d in found["differences"]])


@app.command("orders")
def orders_command(as_json: JsonOption = False) -> None:
    """Was bestellt und noch nicht eingetroffen ist."""
    with open_session("cli:goods orders") as session:
        found = orders.still_open(session)
    if as_json:
        print_json(
            [
                {
                    "number": order.number,
                    "line": order.line,
                    "supplier": order.supplier,
                    "customer": order.customer,
                    "customer_order": order.customer_order,
                    "product": order.product,
                    "ordered": f"{order.ordered.normalize():f}",
                    "open": f"{order.open.normalize():f}",
                    "expected_on": str(order.expected_on) if order.expected_on else None,
                }
                for order in found
            ]
        )
        return
    rows = [
        (o.number, o.line, o.supplier, o.customer, o.product, amount(o.ordered), amount(o.open), o.expected_on)
        for o in found
    ]  # fmt: skip
    headings = ("Bestellung", "Pos.", "Lieferant", "Kunde", "Artikel", "bestellt", "offen", "erwartet")
    print_table("Offene Bestellungen", headings, rows)


@app.command("basket")
def basket_command(as_json: JsonOption = False) -> None:
    """Der Wareneingangskorb: was wartet, und was geparkt ist mit dem Grund."""
    with open_session("cli:goods basket") as session:
        found = views.basket(session)
    if as_json:
        print_json(found)
        return
    rows = [(row["id"], row["key"], row["file"], row["state"], row["reason"]) for row in found]
    print_table("Wareneingangskorb", ("Nr.", "Lieferung", "Datei", "Stand", "Grund"), rows)


@app.command("replay")
def replay_command(item: Annotated[int, typer.Argument(metavar="ITEM", help="Nummer aus »goods basket«")]) -> None:
    """Bucht eine geparkte Meldung erneut, nachdem ihre Ursache behoben ist."""
    with open_session("cli:goods replay") as session:
        inbox.replay(session, item)
    with database_for_home():
        if not _booked_by_doorbell(item):
            _book_here()
        with unit_of_work("cli:goods replay") as session:
            row = session.get(InboxItem, item)
            if row is None:
                raise NotFoundError(f"Wareneingangskorb: Zeile {item} gibt es nicht.")
            _tell(session, inbox.Received(item, row.key, new=True), as_json=False)


@app.command("token")
def token_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="wofür, etwa Lagerverwaltung")],
    revoke: Annotated[bool, typer.Option("--revoke", help="das Token sperren")] = False,
) -> None:
    """Gibt ein Token für »POST /api/goods-receipts« aus; es ist nur dieses eine Mal zu sehen."""
    from actions import api_tokens

    with open_session("cli:goods token") as session:
        if revoke:
            api_tokens.revoke(session, name)
            print(f"Token {name}: gesperrt seit {clock.local(clock.now()):%d.%m.%Y %H:%M}.")
            return
        print(api_tokens.issue(session, name, [api_tokens.WAREHOUSE]))


def register(target: typer.Typer) -> None:
    """Add the commands."""
    target.add_typer(app, name="goods")
