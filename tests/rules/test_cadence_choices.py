"""The usual intervals are named in German, and each name means exactly one rule."""

import datetime as dt

import pytest

from rules.cadence import days
from rules.cadence_choices import CHOICES, rule_of, words_of
from rules.cadence_german import describe
from rules.cadence_text import parse


def test_every_choice_is_a_rule_whose_words_are_its_name() -> None:
    assert len(set(CHOICES.values())) == len(CHOICES) > 80
    for words, rule in CHOICES.items():
        assert rule_of(words) == rule
        assert words_of(rule) == words
        assert describe(parse(rule), dt.date(2026, 1, 5)).startswith(words)


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("Wöchentlich am  Dienstag", dt.date(2026, 1, 6)),
        ("monatlich am letzten Arbeitstag (Mo–Fr)", dt.date(2026, 1, 30)),
        ("vierteljährlich am Monatsletzten", dt.date(2026, 1, 31)),
        ("monatlich am 2. Dienstag", dt.date(2026, 1, 13)),
        ("halbjährlich", dt.date(2026, 1, 5)),
        ("FREQ=MONTHLY;BYMONTHDAY=7", dt.date(2026, 1, 7)),
    ],
)
def test_what_a_person_says_is_what_is_planned(said: str, first: dt.date) -> None:
    start = dt.date(2026, 1, 5)
    assert next(days(parse(rule_of(said)), start, start, dt.date(2027, 1, 1))) == first


def test_what_has_no_name_stays_as_written() -> None:
    assert words_of("FREQ=YEARLY;BYYEARDAY=100") == "FREQ=YEARLY;BYYEARDAY=100"
    assert words_of("kaputt") == rule_of("kaputt") == "kaputt"
