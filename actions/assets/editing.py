"""Assets pflegen: people correct what is known of a device; technicians where the customer wished it (S19, S137)."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from kit.errors import ConflictError, DrehkreuzError, NotFoundError
from models.assets import Asset
from models.parties import Customer

TEXTS = {"asset_class": "Art", "manufacturer": "Hersteller", "model": "Modell", "serial": "Seriennummer",
         "warranty_kind": "Garantieart", "warranty_provider": "Garantiegeber"}  # fmt: skip
DAYS = {"bought_on": "gekauft am", "warranty_from": "Garantie von", "warranty_until": "Garantie bis",
        "firmware_supported_until": "Firmware-Pflege bis"}  # fmt: skip
EDITABLE = TEXTS | DAYS
"""Field -> German label."""


def edit(session: Session, asset_id: int, told: Mapping[str, str], *, technician: bool) -> None:
    """Change fields of a device; an empty text empties it. The audit trail keeps what stood there.

    Args:
        session: the transaction.
        asset_id: the device.
        told: field of `EDITABLE` -> text, days as YYYY-MM-DD.
        technician: the person acts as a technician: only where the customer opted in (S19).

    Raises:
        NotFoundError, ConflictError, DrehkreuzError: no device, no opt-in, an impossible day or order of days.
    """
    asset = session.get(Asset, asset_id, with_for_update=True)
    if asset is None:
        raise NotFoundError("Asset: gibt es nicht.")
    if technician and not session.get_one(Customer, asset.customer_id).technicians_keep_assets:
        raise ConflictError(
            f"Asset {asset.inventory_no}: Der Kunde hat die Pflege durch Techniker nicht gewünscht. "
            "Die Kundenbetreuung kann das beim Kunden vereinbaren."
        )
    for name, text in told.items():
        if name in DAYS:
            setattr(asset, name, _day(name, text))
        elif name in TEXTS:
            setattr(asset, name, text.strip() or (asset.asset_class if name == "asset_class" else None))
    if asset.warranty_from and asset.warranty_until and asset.warranty_until < asset.warranty_from:
        raise DrehkreuzError(f"Asset {asset.inventory_no}: Die Garantie endet vor ihrem Beginn.")
    session.flush()


def _day(name: str, text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise DrehkreuzError(f"Asset, {DAYS[name]}: {text} ist kein Datum (JJJJ-MM-TT).") from None
