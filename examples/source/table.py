"""Small tools of the generator: CSV tables, repeatable dice, check digits, ASCII spellings."""

import csv
import io
import random
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Row = Mapping[str, object]
SEED = "Sülzbogen 2026"
_ASCII = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "æ": "ae",
        "ø": "oe",
        "å": "aa",
        "ł": "l",
        "ı": "i",
        "’": "",
        "'": "",
        " ": "-",
    }
)


def dice(*what: object) -> random.Random:
    """Dice that fall the same way every time for the same words, so that one changed line changes nothing else."""
    return random.Random("|".join([SEED, *map(str, what)]))  # noqa: S311  sample data, no secret


def ascii_name(text: str) -> str:
    """How a name is spelt in a mail address."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_ASCII))
    return plain.encode("ascii", "ignore").decode()


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """One CSV file with a header row; a missing key is an empty field, an unknown key is a fault of the generator."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="", extrasaction="raise")
    writer.writeheader()
    for row in rows:
        writer.writerow(dict(row))
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def iban(bank: str, account: int) -> str:
    """A German IBAN whose two check digits are right (ISO 13616, mod 97); the bank code is made up."""
    basic = f"{bank}{account:010d}"
    return f"DE{98 - int(basic + '131400') % 97:02d}{basic}"


def leitweg_id(coarse: str, fine: str) -> str:
    """A Leitweg-ID with its check digits (mod 97 over coarse and fine address, as for an IBAN)."""
    digits = "".join(str(int(sign, 36)) for sign in coarse + fine)
    return f"{coarse}-{fine}-{98 - int(digits + '00') % 97:02d}"


def vat_id(eight: int) -> str:
    """A German VAT number with its check digit (ISO 7064, mod 11,10)."""
    product = 10
    for digit in f"{eight:08d}":
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return f"DE{eight:08d}{(11 - product) % 10}"
