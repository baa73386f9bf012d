"""Differenzliste an den Lieferanten: a person looked, then it goes out once (S21)."""

import hashlib

from sqlalchemy.orm import Session

from actions.billing.around import house_content, the_house
from actions.goods import differences
from actions.mail.outbox import NewMail, queue
from integrations.documents.contents import ContactPerson
from integrations.mail.texts import render_mail
from kit.errors import ConflictError, NotFoundError
from kit.phone import international
from models.goods import GoodsReceipt, Supplier

KIND = "goods_difference"


def send(session: Session, receipt_id: int, person: str, email: str) -> int:
    """Queue the open differences of a receipt as a mail to its supplier; the same list is one mail. Returns how many lines.

    Raises:
        NotFoundError: no such receipt.
        ConflictError: nothing is open, or the supplier has no address.
    """
    receipt = session.get(GoodsReceipt, receipt_id)
    if receipt is None:
        raise NotFoundError("Wareneingang: gibt es nicht.")
    supplier = session.get_one(Supplier, receipt.supplier_id)
    lines = [difference.text for difference in differences.open_of(session, receipt_id)]
    if not lines:
        raise ConflictError(f"Wareneingang {receipt.delivery_note}: Es ist keine Abweichung offen.")
    if not supplier.email:
        raise ConflictError(f"Lieferant {supplier.name}: Er hat keine E-Mail-Adresse. Bitte in suppliers.csv nachtragen.")
    house = the_house(session)
    texts = render_mail(
        KIND,
        {
            "house": house_content(house),
            "contact": ContactPerson(name=person, role="Materialwirtschaft", phone=international(house.phone), email=email),
            "delivery_note": receipt.delivery_note,
            "lines": lines,
        },
    )
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    queue(session, house, [NewMail(f"{KIND}:{receipt.id}:{digest}", KIND, (supplier.email,), texts)])
    return len(lines)
