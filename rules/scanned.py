"""What stands in a barcode beside the number itself: identifiers of makers before serials, leading zeros of article numbers.

Makers print serials with the data identifier of ANSI MH10.8.2: `S` and the serial, or `1S`, the model and the serial. The
advice names the bare serial. An EAN-13 is also written as GTIN-14, a UPC-A as EAN-13, each with zeros in front (GS1).
"""

SHORTEST = 7
"""A serial below this length is not looked for at the end of a longer code: too many would fit."""
_GTIN = (8, 12, 13, 14)


def without_identifier(code: str) -> str:
    """The serial behind `S`; empty when the code does not begin so."""
    return code[1:] if code[:1] in {"S", "s"} and len(code) > SHORTEST else ""


def model_and_serial(code: str) -> str:
    """Model and serial behind `1S`; the serial is the end of it. Empty when the code does not begin so."""
    return code[2:] if code[:2].upper() == "1S" and len(code) > SHORTEST + 2 else ""


def bare_gtin(code: str) -> str:
    """Digits of an EAN, UPC or GTIN without leading zeros; empty for anything else."""
    return code.lstrip("0") if code.isascii() and code.isdigit() and len(code) in _GTIN else ""
