"""`run FLOW --local`: a flow in this process, without a server; afterwards it sends the mails that wait."""

import inspect
import os
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from deployments.catalogue import Startable
from kit import steps
from kit.errors import UsageError
from kit.steps import Outcome


def run_locally(flow: Startable, given: dict[str, str], watcher: Callable[[str, int, int], None]) -> Outcome:
    """Run it. What it answers is joined with what the mail dispatch after it says.

    Raises: UsageError for parameters that the flow does not have; whatever the flow itself raises.
    """
    os.environ.pop("PREFECT_API_URL", None)  # a setting of this shell must not make it a run of some other server
    steps.orchestrated.cache_clear()
    function = flow.load()
    arguments = _arguments(flow.name, function, given)
    with steps.watched(watcher):
        answer = steps.plain(function, **arguments)
        outcome = answer if isinstance(answer, Outcome) else Outcome("Fertig." if answer is None else str(answer))
        return _with_mail(outcome)


def _with_mail(outcome: Outcome) -> Outcome:
    from tasks import mail_dispatch as post

    done = post.send_queued()
    if not done.states and not done.stopped:
        return outcome
    post.archive_sent()
    told = post.tell(done)
    new = tuple(item for item in told.open_items if item not in outcome.open_items)
    return Outcome(f"{outcome.summary} {told.summary}", outcome.open_items + new)


def _arguments(name: str, function: Callable[..., Any], given: dict[str, str]) -> dict[str, Any]:
    """The given texts as the types that the flow declares."""
    known = inspect.signature(function, eval_str=True).parameters
    if unknown := sorted(set(given) - set(known)):
        raise UsageError(f"Flow »{name}«: Den Parameter {unknown[0]} gibt es nicht. Vorhanden: {', '.join(known) or 'keine'}.")
    missing = [key for key, parameter in known.items() if parameter.default is parameter.empty and key not in given]
    if missing:
        raise UsageError(f"Flow »{name}«: Es fehlt --param {missing[0]}=…")
    arguments = {}
    for key, text in given.items():
        expected = known[key].annotation
        try:
            arguments[key] = TypeAdapter(Any if expected is inspect.Parameter.empty else expected).validate_python(text)
        except ValidationError as fault:
            why = fault.errors()[0]["msg"]
            raise UsageError(f"Flow »{name}«: --param {key}={text} passt nicht ({why}).") from None
    return arguments
