"""Telephone numbers as people read them."""

import phonenumbers


def international(value: str | None) -> str:
    """+492214710160 as `+49 221 4710160` (DIN 5008); what is no number stays as it is."""
    if not value:
        return ""
    try:
        found = phonenumbers.parse(value, "DE")
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
