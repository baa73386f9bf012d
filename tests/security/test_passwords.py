"""A new password is one that nobody tries: not short, not endless, not the person's name, not what everybody takes."""

import pytest

from kit.passwords import WeakPasswordError, check_strength

ME = "toni.technik@probehaus.example"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("kurz", "zu kurz"),
        ("Wort " * 26, "höchstens 128"),
        ("ababababababab", "wiederholt"),
        ("ich bin toni.technik", "E-Mail-Adresse"),
        ("1q2w3e4r5t6y", "leicht zu erraten"),  # on the lists of stolen passwords
        ("qwertzuiop12", "leicht zu erraten"),
        ("Passwort123!", "leicht zu erraten"),
        ("Willkommen2026!", "leicht zu erraten"),
        ("ichliebedich1987", "leicht zu erraten"),
        ("Probehaus-2026", "leicht zu erraten"),  # the house, from the address
    ],
)
def test_what_is_tried_first_is_refused(password: str, why: str) -> None:
    with pytest.raises(WeakPasswordError, match=why):
        check_strength(password, ME)


@pytest.mark.parametrize(
    "password", ["richtig pferd batterie klammer", "Zw7#kq!Lm2$vX", "Ein gutes Kennwort 1", "x" + "Lkq7 " * 25]
)
def test_what_nobody_tries_is_taken_whatever_its_signs(password: str) -> None:
    check_strength(password, ME)
