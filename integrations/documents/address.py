"""Addresses as the post reads them: at most six lines in the window of DIN 5008 form B, nothing cut off that it needs."""

import textwrap
from dataclasses import dataclass

from integrations.documents import text
from integrations.documents.contents import Party

WINDOW_LINES = 6
_LINE = 44
"""Characters that fit into one line of the window."""
_NAME_LINES = 3


@dataclass(frozen=True, slots=True)
class Envelope:
    """Lines of the window; `tight` ones are set smaller so that all of them fit."""

    lines: tuple[str, ...]
    tight: bool


def postal_lines(party: Party) -> list[str]:
    """Name, branch, person, street, town, and the country if it is abroad."""
    branch = party.site_name if party.site_name not in party.name else ""
    abroad = country_name(party.country) if party.country not in {"DE", ""} else ""
    lines = (party.name, branch, party.attention, party.street, f"{party.postal_code} {party.city}", abroad)
    return [shown for line in lines if (shown := " ".join(text.clean(line).split()))]


def envelope(party: Party) -> Envelope:
    """The window. Only a name of more than three lines is shortened; street and town always show."""
    name, *others = postal_lines(party) or [""]
    lines = textwrap.wrap(name, _LINE, max_lines=_NAME_LINES, placeholder=" …") + [
        part for line in others for part in textwrap.wrap(line, _LINE, max_lines=2, placeholder=" …")
    ]
    return Envelope(tuple(lines), tight=len(lines) > WINDOW_LINES)


def country_name(code: str) -> str:
    """German country name in capitals, as the post asks for."""
    from babel import Locale

    return str(Locale("de").territories.get(code, code)).upper()
