"""Cells with a grammar or a check digit of their own: addresses, bank and tax numbers, hours, cadences."""

import json
import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import phonenumbers
from babel import Locale
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException
from sqlalchemy.dialects.postgresql import JSONB

from actions.company.cells import Cell, CellError, Code, Number, Text, quoted
from integrations.mail.headers import checked_address
from integrations.mail.types import MailContentError
from rules import cadence_text as cadence
from rules.correction import CorrectionRule

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_DIALLED = re.compile(r"0\d{4,16}", re.ASCII)
_PHONE_PUNCTUATION = re.compile(r"[\s()/.\-]")
_VAT_IDS = {"DE": r"\d{9}", "AT": r"U\d{8}", "CH": r"E\d{9}(?:MWST|TVA|IVA)?"}
_OTHER_VAT_ID = r"[0-9A-Z+*]{2,13}"
_LEITWEG = re.compile(r"(\d{2,12})(?:-([0-9A-Z]{1,30}))?-(\d{2})", re.ASCII)
_CREDITOR = re.compile(r"([A-Z]{2})(\d{2})([A-Z0-9]{3})([A-Z0-9]{1,28})", re.ASCII)
_MANDATE = re.compile(r"[A-Za-z0-9+?/\-:().,' ]{1,35}", re.ASCII)
_WEB = re.compile(r"https?://[^\s/]+(?:/\S*)?")
_NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_DAYS = "mo|di|mi|do|fr|sa|so"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_SERVICE_HOURS = re.compile(
    rf"(?:(?:{_DAYS})(?:-(?:{_DAYS}))?)(?:,(?:{_DAYS})(?:-(?:{_DAYS}))?)* "
    rf"{_TIME}-(?:{_TIME}|24:00)(?:,{_TIME}-(?:{_TIME}|24:00))*",
    re.ASCII,
)
_PRIORITIES = ("high", "normal", "low")


def _mod97(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97


@cache
def _countries() -> frozenset[str]:
    codes = {str(code) for code in Locale("de").territories}
    return frozenset(code for code in codes if code.isalpha() and len(code) == 2) - _NO_COUNTRY


class Spelled(Text):
    """Text with one right spelling. What was stored in another one leaves in the right one, so an export is canonical."""

    def write(self, value: str) -> str:
        try:
            return str(self.read(value))
        except CellError:
            return value


@lru_cache(maxsize=8192)
def _address(text: str) -> str:
    """The address in small letters. Raises: CellError. (Cached: a technician's stands in every row of a year.)"""
    address = text.strip().lower()
    try:
        checked_address(address)
    except (MailContentError, ValueError):
        raise CellError(
            f"{quoted(text)} ist keine zustellbare Mailadresse; erlaubt: name@domain, vor dem @ ohne Umlaute"
        ) from None
    if "." not in address.rpartition("@")[2]:
        raise CellError(f"{quoted(text)} nennt keine vollständige Domain; erlaubt: name@domain.tld")
    return address


class Email(Spelled):
    """A mail address that can be delivered, in small letters."""

    def __init__(self) -> None:
        super().__init__(254, lines=False)
        self.allowed = "Mailadresse name@domain"

    def read(self, text: str) -> str:
        return _address(super().read(text))


class Person(Code):
    """Who approved: usually an employee's mail address."""

    def __init__(self) -> None:
        super().__init__(254)
        self.allowed = "Mailadresse eines Mitarbeiters"

    def read(self, text: str) -> str:
        name = super().read(text).removeprefix("employee:")
        return name.lower() if "@" in name else name


class Phone(Spelled):
    """A telephone number. What can be dialled from Germany is stored as E.164; anything else stays as written."""

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__(60, lines=False)
        self.strict = strict
        self.allowed = "Rufnummer nach E.164, zum Beispiel +492581123456"

    def read(self, text: str) -> str:
        number = super().read(text.strip())
        bare = _PHONE_PUNCTUATION.sub("", number)
        if _E164.fullmatch(bare):
            return bare
        if self.strict:
            raise CellError(
                f"{quoted(text)} ist keine Rufnummer nach E.164; erlaubt: + und Ländervorwahl, zum Beispiel +492581123456"
            )
        if not any(sign.isdigit() for sign in number):
            raise CellError(f"{quoted(text)} ist keine Rufnummer; erlaubt: {self.allowed}")
        if not _DIALLED.fullmatch(bare):
            return number
        parsed = phonenumbers.parse(bare, "DE")
        if not phonenumbers.is_possible_number(parsed):
            return number
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))

    def doubt(self, value: str) -> str:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(value, "DE")):
                return ""
        except phonenumbers.NumberParseException:
            pass
        return f"Rufnummer {quoted(value)} scheint nicht vergeben zu sein; bitte prüfen"


class Iban(Spelled):
    """An IBAN with right length and check digits, stored without blanks."""

    def __init__(self) -> None:
        super().__init__(60, lines=False)
        self.allowed = "IBAN mit gültiger Prüfziffer"

    def read(self, text: str) -> str:
        try:
            return str(IBAN(super().read(text.strip())).compact)
        except SchwiftyException:
            raise CellError(f"{quoted(text)} ist keine gültige IBAN (Länge oder Prüfziffer stimmt nicht)") from None


class Bic(Spelled):
    """A BIC of 8 or 11 characters."""

    def __init__(self) -> None:
        super().__init__(20, lines=False)
        self.allowed = "BIC mit 8 oder 11 Zeichen"

    def read(self, text: str) -> str:
        try:
            return str(BIC(super().read(text.strip())).compact)
        except SchwiftyException:
            raise CellError(f"{quoted(text)} ist kein BIC; erlaubt sind 8 oder 11 Zeichen mit Ländercode") from None


class VatId(Spelled):
    """Umsatzsteuer-Identifikationsnummer; its shape is checked, whether it was issued only the tax office knows."""

    def __init__(self) -> None:
        super().__init__(30, lines=False)
        self.allowed = "USt-IdNr. mit Ländercode, zum Beispiel DE123456789"

    def read(self, text: str) -> str:
        number = re.sub(r"[\s.\-]", "", super().read(text)).upper()
        if not re.fullmatch(r"[A-Z]{2}.+", number) or not re.fullmatch(_VAT_IDS.get(number[:2], _OTHER_VAT_ID), number[2:]):
            raise CellError(f"{quoted(text)} ist keine USt-IdNr.; erlaubt: Ländercode und Nummer, zum Beispiel DE123456789")
        return number


class Country(Text):
    """ISO 3166 code of two letters."""

    def __init__(self) -> None:
        super().__init__(2, lines=False)
        self.allowed = "Ländercode mit zwei Buchstaben nach ISO 3166"

    def read(self, text: str) -> str:
        code = text.strip()
        if code not in _countries():
            raise CellError(f"{quoted(text)} ist kein Ländercode; erlaubt: zwei Buchstaben nach ISO 3166, zum Beispiel DE")
        return code


class LeitwegId(Spelled):
    """Leitweg-ID of a public customer (format specification 2.0: coarse address, fine address, two check digits)."""

    def __init__(self) -> None:
        super().__init__(46, lines=False)
        self.allowed = "Leitweg-ID, zum Beispiel 991-01234-38"

    def read(self, text: str) -> str:
        number = super().read(text.strip()).upper()
        if not _LEITWEG.fullmatch(number):
            raise CellError(
                f"{quoted(text)} ist keine Leitweg-ID; erlaubt: Grobadresse-Feinadresse-Prüfziffer, zum Beispiel 991-01234-38"
            )
        return number

    def doubt(self, value: str) -> str:
        found = _LEITWEG.fullmatch(value)
        if found is None or _mod97(f"{found[1]}{found[2] or ''}{found[3]}") == 1:
            return ""
        return f"Prüfziffer der Leitweg-ID {quoted(value)} stimmt nicht; der Empfänger könnte die Rechnung abweisen"


class CreditorId(Spelled):
    """Gläubiger-Identifikationsnummer (SEPA); the business code does not count for the check digits."""

    def __init__(self) -> None:
        super().__init__(35, lines=False)
        self.allowed = "Gläubiger-ID, zum Beispiel DE98ZZZ09999999999"

    def read(self, text: str) -> str:
        number = re.sub(r"\s", "", super().read(text)).upper()
        if not _CREDITOR.fullmatch(number):
            raise CellError(f"{quoted(text)} ist keine Gläubiger-ID; erlaubt: {self.allowed}")
        return number

    def doubt(self, value: str) -> str:
        found = _CREDITOR.fullmatch(value)
        if found is None or _mod97(found[4] + found[1] + found[2]) == 1:
            return ""
        return f"Prüfziffer der Gläubiger-ID {quoted(value)} stimmt nicht; die Bank könnte den Einzug abweisen"


class MandateReference(Spelled):
    """SEPA mandate reference: 35 characters of the SEPA set."""

    def __init__(self) -> None:
        super().__init__(35, lines=False)
        self.allowed = "Mandatsreferenz, bis 35 Zeichen A-Z, 0-9 und + ? / - : ( ) . , '"

    def read(self, text: str) -> str:
        reference = text.strip()
        if not _MANDATE.fullmatch(reference):
            raise CellError(f"{quoted(text)} ist keine Mandatsreferenz; erlaubt: {self.allowed.partition(', ')[2]}")
        return reference


class WebAddress(Spelled):
    """An address with http or https."""

    def __init__(self) -> None:
        super().__init__(300, lines=False)
        self.allowed = "Adresse mit https://"

    def read(self, text: str) -> str:
        address = super().read(text.strip())
        if not _WEB.fullmatch(address):
            raise CellError(f"{quoted(text)} ist keine Webadresse; erlaubt: https://…")
        return address


class Correction(Spelled):
    """Korrekturregel of a Kontingent (billing rules: correction)."""

    def __init__(self) -> None:
        super().__init__(40, lines=False)
        self.allowed = "never, quarter_end, after_months=N, below_months=N"

    def read(self, text: str) -> str:
        try:
            return str(CorrectionRule.parse(text.strip()))
        except ValueError:
            raise CellError(f"{quoted(text)} ist unbekannt; erlaubt: {self.allowed} mit N ab 1") from None


class ServiceHours(Spelled):
    """Servicezeiten: days and times, several joined by `|`."""

    def __init__(self) -> None:
        super().__init__(300, lines=False)
        self.allowed = "Tage und Zeiten, zum Beispiel mo-do 08:00-17:00|fr 08:00-15:00"

    def read(self, text: str) -> str:
        hours = "|".join(" ".join(part.split()) for part in super().read(text).split("|"))
        for part in hours.split("|"):
            spans = part.rpartition(" ")[2].split(",")
            if not _SERVICE_HOURS.fullmatch(part) or any(s[:5] >= s[6:] for s in spans):
                raise CellError(f"{quoted(text)} ist keine Servicezeit; erlaubt: {self.allowed}")
        return hours


class ReactionHours(Cell):
    """Reaktionszeit in hours by priority, `high=2|normal=8|low=24`."""

    allowed = "Stunden je Priorität, zum Beispiel high=2|normal=8|low=24"
    sql = JSONB()
    _hours = Number("0.1", "10000", places=2)

    def read(self, text: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in text.split("|"):
            priority, equals, hours = (piece.strip() for piece in part.partition("="))
            if not equals or priority not in _PRIORITIES or priority in found:
                raise CellError(f"{quoted(text)} ist keine Reaktionszeit; erlaubt: {self.allowed}")
            found[priority] = self._hours.write(self._hours.read(hours))
        return found

    def bind(self, value: Any) -> str:
        return json.dumps(value)

    def write(self, value: dict[str, Any]) -> str:
        known = [name for name in _PRIORITIES if name in value]
        return "|".join(f"{name}={self._hours.write(Decimal(str(value[name])))}" for name in known)


class Cadence(Spelled):
    """Turnus: a recurrence rule of RFC 5545 in days, stored in its one spelling."""

    def __init__(self) -> None:
        super().__init__(300, lines=False)
        self.allowed = "Regel nach RFC 5545, zum Beispiel FREQ=MONTHLY;BYMONTHDAY=1"

    def read(self, text: str) -> str:
        try:
            return str(cadence.parse(super().read(text)))
        except cadence.CadenceError as error:
            raise CellError(f"{str(error).removeprefix('Wiederkehr ')} Erlaubt: {self.allowed}") from None
