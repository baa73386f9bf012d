"""The characters of SEPA: letters without marks, digits and a few signs; German letters become two."""

import re
import unicodedata

_GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS", "€": "EUR", "&": "+"}
)
_FOREIGN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
IDENTIFIER = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9/\-?:().,'+ ]{1,35}(?<!/)")
"""What a reference or id may be: 35 characters, no slash at either end, no two in a row."""


def sepa_text(text: str, length: int) -> str:
    """Text as every bank takes it: "Müller & Söhne" -> "Mueller + Soehne"; cut to `length`."""
    german = unicodedata.normalize("NFC", text).translate(_GERMAN)
    plain = "".join(c for c in unicodedata.normalize("NFKD", german) if not unicodedata.combining(c))
    return " ".join(_FOREIGN.sub(" ", plain).split())[:length].strip()
