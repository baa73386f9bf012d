"""A dispatch that forgets to say `in_flight` before it sends: loaded by the processes of a crash test that must go red."""

from typing import Any

from actions.mail import dispatch


def _forgets(*_args: Any) -> bool:
    return True


vars(dispatch)["mark_in_flight"] = _forgets
