"""What security asks for later: one line of the log per sign-in, refusal and change, with login and origin (ASVS 7.1.3).

What was typed is never logged: a password may stand in the field for the address. The login's number is enough.
"""

import logging

from kit.log import bound

log = logging.getLogger("portal.security")


def note(event: str, *, address: str = "", login: int | None = None, refused: bool = False) -> None:
    """One event in German. `address`: where the request came from; `refused`: somebody was turned away."""
    keys = {"origin": address, "login": login}
    with bound(**{name: value for name, value in keys.items() if value}):
        log.log(logging.WARNING if refused else logging.INFO, "%s", event)
