"""Subject and bodies of a mail from `templates/mail/<name>/{subject.txt,body.txt,body.html}`.

The folder is the catalogue of all that the house ever sends; a missing value is an error, never a blank in a letter.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape

from integrations.mail.types import MailContentError, MailTexts
from kit import clock

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"
LOCALE = "de_DE"


def day(value: dt.date) -> str:
    """02.11.2026"""
    return f"{value:%d.%m.%Y}"


def moment(value: dt.datetime) -> str:
    """02.11.2026, 07:05 Uhr (Berlin)"""
    return f"{clock.local(value):%d.%m.%Y, %H:%M} Uhr"


def month(value: dt.date) -> str:
    """Oktober 2026"""
    return format_date(value, "LLLL yyyy", locale=LOCALE)


def euro(value: Decimal) -> str:
    """1.234,50 €"""
    return format_currency(value, "EUR", locale=LOCALE)


@lru_cache(maxsize=4)
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(day=day, moment=moment, month=month, euro=euro)
    return environment


def mail_names(folder: Path = TEMPLATES) -> tuple[str, ...]:
    """Every mail there is a folder for."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/subject.txt")))


def render_mail(name: str, values: Mapping[str, Any], folder: Path = TEMPLATES) -> MailTexts:
    """The texts of mail `name`. Raises: MailContentError when a template is missing or wants a value that is not given."""
    environment = _environment(folder)
    try:
        subject, text, html = (environment.get_template(f"{name}/{part}").render(values) for part in _PARTS)
    except TemplateError as fault:
        raise MailContentError(f"Mailvorlage templates/mail/{name}: {fault}; bitte Vorlage oder Werte berichtigen.") from fault
    return MailTexts(subject.strip(), text.strip() + "\n", html.strip() + "\n")


_PARTS = ("subject.txt", "body.txt", "body.html")
