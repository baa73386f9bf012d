"""A refused attempt is told on the page where it was made, not on an error page that leads away from the work."""

from collections.abc import Callable

from fastapi import Request, Response
from sqlalchemy.orm import Session

from kit.errors import DrehkreuzError
from portal.pages import go
from portal.security.cookies import Tone

Said = str | tuple[str, Tone]


def attempt(request: Request, session: Session, path: str, act: Callable[[], Said]) -> Response:
    """Do `act` and go to `path` with what it says; of an attempt that is refused nothing stays.

    `act` returns the sentence, or sentence and tone; an empty sentence says nothing.
    """
    try:
        with session.begin_nested():
            said = act()
    except DrehkreuzError as fault:
        return go(request, path, str(fault), "danger")
    text, tone = said if isinstance(said, tuple) else (said, "success")
    return go(request, path, text, tone)
