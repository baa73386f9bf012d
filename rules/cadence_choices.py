"""The usual intervals by their German name: nobody has to write a rule. Pure. Page: docs/rules/wiederkehr.md"""

import datetime as dt

from rules.cadence_german import describe
from rules.cadence_text import CadenceError, parse

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR")
_WORKDAY = "BYDAY=MO,TU,WE,TH,FR"
_DAYS_OF_MONTH = (
    f"{_WORKDAY};BYSETPOS=1", f"{_WORKDAY};BYSETPOS=-1", "BYMONTHDAY=1", "BYMONTHDAY=15", "BYMONTHDAY=-1",
    *(f"BYDAY={nth}{day}" for nth in (1, 2, 3, -1) for day in _WEEKDAYS),
)  # fmt: skip
_MONTHS = ("FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=3", "FREQ=MONTHLY;INTERVAL=6")
_RULES = (
    f"FREQ=DAILY;{_WORKDAY}",
    *(f"FREQ=WEEKLY;BYDAY={day}" for day in _WEEKDAYS),
    *(f"FREQ=WEEKLY;INTERVAL=2;BYDAY={day}" for day in _WEEKDAYS),
    *(f"{months};{days}" for months in _MONTHS for days in _DAYS_OF_MONTH),
)
_ANY_DAY = dt.date(2026, 1, 5)
"""None of these rules takes anything from its start."""
_FROM_START = {
    "täglich": "FREQ=DAILY",
    "wöchentlich": "FREQ=WEEKLY",
    "alle 2 Wochen": "FREQ=WEEKLY;INTERVAL=2",
    "monatlich": "FREQ=MONTHLY",
    "vierteljährlich": "FREQ=MONTHLY;INTERVAL=3",
    "halbjährlich": "FREQ=MONTHLY;INTERVAL=6",
    "jährlich": "FREQ=YEARLY",
}
"""These take the day from the start of the plan."""
CHOICES: dict[str, str] = {describe(parse(rule), _ANY_DAY): rule for rule in _RULES} | _FROM_START
_BY_WORDS = {words.lower(): rule for words, rule in CHOICES.items()}
_BY_RULE = {str(parse(rule)): words for words, rule in CHOICES.items()}


def rule_of(text: str) -> str:
    """The rule that a person means: one of the usual intervals by its name, else the text as it is."""
    return _BY_WORDS.get(" ".join(text.lower().split()), text)


def words_of(rule: str) -> str:
    """The name of a usual interval; any other rule as it is written."""
    try:
        return _BY_RULE.get(str(parse(rule)), rule)
    except CadenceError:
        return rule
