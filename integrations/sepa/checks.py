"""What a schema cannot know: check digits, bank days, characters. All refusals are German and name debit and remedy."""

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal

from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from integrations.sepa.calendar import is_target_day
from integrations.sepa.text import IDENTIFIER, sepa_text
from integrations.sepa.types import Creditor, Debit, Mandate, SepaError

MAX_AMOUNT = Decimal("999999999.99")
_MAINLAND = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
_OVERSEAS = "GF GP MQ YT RE PM BL MF AX"  # parts of France and of Finland with codes of their own
EEA = frozenset(f"{_MAINLAND} {_OVERSEAS}".split())
_CREDITOR_ID = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")


def compact(text: str) -> str:
    """IBAN, BIC or creditor id as machines write it."""
    return "".join(text.split()).upper()


def creditor_id_holds(creditor_id: str) -> bool:
    """Whether the check digits of a creditor identifier are right (ISO 7064 mod 97-10, without the business code)."""
    text = compact(creditor_id)
    if not _CREDITOR_ID.fullmatch(text):
        return False
    digits = "".join(str(int(c, 36)) for c in text[7:] + text[:4])
    return int(digits) % 97 == 1


def check_creditor(creditor: Creditor) -> None:
    if not sepa_text(creditor.name, 70):
        raise SepaError("Lastschriftdatei: der Name des Hauses fehlt; bitte in house.csv eintragen.")
    if not creditor_id_holds(creditor.creditor_id):
        raise SepaError(f"Gläubiger-ID {creditor.creditor_id!r}: die Prüfziffer stimmt nicht; bitte in house.csv berichtigen.")
    _check_account(creditor.iban, creditor.bic, "Konto des Hauses")


def check_debits(debits: Sequence[Debit], today: dt.date) -> None:
    """Raises: SepaError for the first debit that no bank would take; `today` is the day the file is made."""
    seen: set[str] = set()
    for debit in debits:
        if debit.reference in seen:
            raise SepaError(f"Lastschrift {debit.reference}: steht zweimal in der Datei; bitte nur einmal einziehen.")
        seen.add(debit.reference)
        _check(debit, today)


def _check(debit: Debit, today: dt.date) -> None:
    place, mandate = f"Lastschrift {debit.reference}", debit.mandate
    if not IDENTIFIER.fullmatch(debit.reference):
        raise SepaError(f"{place}: diese Referenz geht nicht; erlaubt sind 35 Zeichen A-Z, 0-9 und / - ? : ( ) . , ' +.")
    if not 0 < debit.amount <= MAX_AMOUNT or debit.amount != debit.amount.quantize(Decimal("0.01")):
        raise SepaError(f"{place}: {debit.amount} ist nicht einziehbar; erlaubt ist 0,01 bis 999.999.999,99 in vollen Cent.")
    if not is_target_day(debit.collect_on) or debit.collect_on <= today:
        raise SepaError(f"{place}: der {debit.collect_on:%d.%m.%Y} ist kein künftiger Bankarbeitstag; bitte neu bestimmen.")
    _check_mandate(mandate, debit.collect_on, place)
    if not sepa_text(debit.text, 140):
        raise SepaError(f"{place}: der Verwendungszweck ist leer; er muss dem Zahler sagen, wofür er zahlt.")


def _check_mandate(mandate: Mandate, collect_on: dt.date, place: str) -> None:
    if not IDENTIFIER.fullmatch(mandate.reference):
        raise SepaError(
            f"{place}: Mandatsreferenz {mandate.reference!r} geht nicht; erlaubt sind 35 Zeichen A-Z, 0-9, / - ? : ( ) . , ' +."
        )
    if mandate.signed_on > collect_on:
        raise SepaError(f"{place}: das Mandat {mandate.reference} ist erst nach dem Einzug unterschrieben; bitte prüfen.")
    if not sepa_text(mandate.debtor_name, 70):
        raise SepaError(f"{place}: der Name des Zahlers fehlt; bitte beim Kunden eintragen.")
    _check_account(mandate.iban, mandate.bic, f"{place}, Konto des Zahlers")


def _check_account(iban: str, bic: str, place: str) -> None:
    try:
        country = IBAN(compact(iban)).country_code
        if bic:
            BIC(compact(bic))
    except SchwiftyException as fault:
        raise SepaError(f"{place}: IBAN {iban!r} oder BIC {bic!r} ist falsch (Länge, Prüfziffer); bitte ändern.") from fault
    if country not in EEA:
        raise SepaError(f"{place}: Konten in {country} (nicht im EWR) sind nicht einziehbar; bitte überweisen lassen.")
