"""Flows and steps: with a Prefect server a Prefect flow or task, without one the same plain function.

Two decorators are all that `flows/` and `tasks/` know of Prefect:

    @step(name="Serviceberichte erstellen", retries=3)
    def render_reports(run_id: int, customer_ids: list[int]) -> int: ...

    @flow(name="Monatsabrechnung", run_name="Abrechnung {month}")
    def monthly_billing(month: str = "") -> Outcome: ...

Whether a process speaks to Prefect is decided once, when it first asks: `PREFECT_API_URL` is set in everything that the
supervisor starts and nowhere else, since Prefect without an address would quietly start a server of its own.
`call` starts a flow from a long-lived process: it asks the server at each start, and when the connection is lost in the
middle it repeats the plain function; every step may be repeated, so nothing is done twice. The run is then missing in
Prefect's interface, nothing else.

Prefect is imported only where it is needed: 2 s and 88 MB.
"""

import contextlib
import contextvars
import datetime as dt
import functools
import inspect
import logging
import os
import random
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from kit import clock, run_form
from kit import log as logs
from kit.errors import AwayError, DrehkreuzError

P = ParamSpec("P")
R = TypeVar("R")

OPEN_ITEMS = "Offene Punkte"
"""Name of the end state of a run that did what it could and left items that need a person."""
INTERRUPTED = "Unterbrochen"
"""Name of the end state of a run that lost what it works with, the database above all: the keeper takes it up again."""

BACKOFF_CAP = 60.0  # seconds between two attempts at most
_MESSAGE_LIMIT = 4000  # characters of a state message in Prefect

log = logging.getLogger(__name__)
_plain: contextvars.ContextVar[bool] = contextvars.ContextVar("plain", default=False)


@dataclass(frozen=True)
class Outcome:
    """What a flow answers: one German sentence, and what a person has to do before it can go on."""

    summary: str
    open_items: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"- {item}" for item in self.open_items)])


@functools.cache
def orchestrated() -> bool:
    """Whether flows and steps of this process are Prefect's."""
    return bool(os.environ.get("PREFECT_API_URL"))


def recording() -> bool:
    """Whether the code that asks runs inside a Prefect run at this moment."""
    if _plain.get() or not orchestrated():
        return False
    from prefect.context import FlowRunContext

    return FlowRunContext.get() is not None


def flow(
    *, name: str, run_name: str = "", titles: Mapping[str, str] | None = None, retries: int = 0
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a flow.

    Args:
        name: German name of the process; part of the address of its deployments.
        run_name: template of the run's name over the parameters, such as `Abrechnung {month}`.
        titles: German title of each parameter for the form of a run; their explanations stand in the docstring.
        retries: repetitions of the whole flow by Prefect; seldom right, the keeper resumes what died.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        with_keys = _with_keys(function)
        if not orchestrated():
            return with_keys
        import prefect

        shown = _with_outcome(with_keys)
        if titles:
            run_form.titled(shown, titles)
        made = prefect.flow(name=name, flow_run_name=run_name or None, retries=retries, persist_result=False)(shown)
        setattr(made, "plain", with_keys)  # noqa: B010  (Prefect's class does not know it)
        return cast("Callable[P, R]", made)

    return decorate


def _with_keys(function: Callable[P, R]) -> Callable[P, R]:
    """Put flow, run and what the run is about on every line that is written in it, with Prefect and without."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        ours = run_id() or f"ohne-prefect-{uuid.uuid4().hex[:12]}"
        with logs.bound(flow=function.__name__, run=ours, **_business_keys(signature.bind_partial(*args, **kwargs).arguments)):
            log.info("%s beginnt", function.__name__)
            result = function(*args, **kwargs)
            log.info("%s fertig", function.__name__)
        return result

    return run


def _with_outcome(function: Callable[P, R]) -> Callable[P, Any]:
    """End a run with open items in a state that says so, its message names them; one that lost database or store in another."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> Any:
        logs.also_to_file("flows")
        from prefect.states import Completed, Failed

        try:
            result = function(*args, **kwargs)
        except Exception as fault:
            if not passing(fault):
                raise
            log.exception("%s unterbrochen", function.__name__)
            return Failed(name=INTERRUPTED, message=str(fault).strip()[:_MESSAGE_LIMIT], data=fault)
        if not isinstance(result, Outcome):
            return result
        message = str(result)[:_MESSAGE_LIMIT]
        return Completed(name=OPEN_ITEMS if result.open_items else "Completed", message=message)

    return run


def _business_keys(parameters: dict[str, Any]) -> dict[str, str]:
    """The parameters that say what a run is about: month, receipt and the like."""
    return {name: str(value) for name, value in parameters.items() if value and isinstance(value, (str, int, dt.date))}


def step(
    *,
    name: str,
    retries: int = 3,
    delay: float = 2.0,
    run_name: str = "",
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a step: one transaction and one action, or one visible effect. Ids and plain values in and out.

    Args:
        name: German name.
        retries: further attempts after the first one when the fault looks passing.
        delay: seconds before the second attempt, doubled each time, with a random half on top.
        run_name: template of the task run's name over the parameters.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        task = _as_task(function, name=name, retries=retries, delay=delay, run_name=run_name) if orchestrated() else None

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            if task is not None and recording():
                return task(*args, **kwargs)  # type: ignore[no-any-return]
            return _attempt(function, name, retries, delay, *args, **kwargs)

        return run

    return decorate


def _as_task(function: Callable[..., R], *, name: str, retries: int, delay: float, run_name: str) -> Any:
    import prefect
    from prefect.cache_policies import NO_CACHE

    def again(_task: Any, _run: Any, state: Any) -> bool:
        fault = state.result(raise_on_failure=False)
        return isinstance(fault, BaseException) and passing(fault)

    return prefect.task(
        name=name,
        task_run_name=run_form.drawable(run_name or name),
        retries=retries,
        retry_delay_seconds=[min(delay * 2**attempt, BACKOFF_CAP) for attempt in range(retries)] or None,
        retry_jitter_factor=0.5,
        retry_condition_fn=again,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(function)


def _attempt(function: Callable[..., R], name: str, retries: int, delay: float, /, *args: Any, **kwargs: Any) -> R:
    for attempt in range(retries):
        try:
            return function(*args, **kwargs)
        except Exception as fault:
            if not passing(fault):
                raise
            pause = min(delay * 2**attempt, BACKOFF_CAP) * (1 + random.random() / 2)  # noqa: S311  (spread, no secret)
            log.warning("%s: %s Neuer Versuch in %.0f s.", name, fault, pause)
            time.sleep(pause)
    return function(*args, **kwargs)


def passing(fault: BaseException) -> bool:
    """Whether another attempt may help: connections, time-outs, deadlocks, a store that is away. A refusal of ours is final."""
    if isinstance(fault, DrehkreuzError):
        return isinstance(fault, AwayError)
    if isinstance(fault, (ConnectionError, TimeoutError)):
        return True
    from sqlalchemy.exc import DBAPIError, OperationalError

    return isinstance(fault, OperationalError) or (isinstance(fault, DBAPIError) and fault.connection_invalidated)


# --- starting a flow from a process of ours ------------------------------------------------------------------------------


def server_answers(seconds: float = 2.0) -> bool:
    """Whether the Prefect server of `PREFECT_API_URL` is there."""
    address = os.environ.get("PREFECT_API_URL", "")
    if not address.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=seconds) as answer:  # noqa: S310  (scheme checked)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def plain(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a flow as the plain function it is, its steps too."""
    token = _plain.set(True)
    try:
        bare: Callable[P, R] = getattr(function, "plain", function)
        return bare(*args, **kwargs)
    finally:
        _plain.reset(token)


def call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """Run a flow in this process: seen by Prefect when its server answers, else plainly. None when Prefect ran it.

    Heartbeats are off: they cost a second per run, and a run of ours carries no tag of the keeper.
    """
    if not orchestrated() or not hasattr(function, "plain") or not server_answers():
        return plain(function, *args, **kwargs)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    try:
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            function(*args, **kwargs)
    except Exception as fault:
        if not _lost_server(fault):
            raise
        log.warning("Prefect-Server während des Laufs verloren (%s); Wiederholung ohne ihn", fault)
        return plain(function, *args, **kwargs)
    return None


def _lost_server(fault: BaseException) -> bool:
    import httpx
    from prefect.exceptions import PrefectHTTPStatusError

    seen: BaseException | None = fault
    while seen is not None:
        if isinstance(seen, httpx.TransportError):
            return not server_answers()
        if isinstance(seen, PrefectHTTPStatusError):
            return seen.response.status_code >= 500
        seen = seen.__cause__ or seen.__context__
    return not server_answers()


# --- what a run knows and shows ------------------------------------------------------------------------------------------


def run_id() -> str:
    """The id of the present Prefect run; empty without one. A link for people, never business truth."""
    if not recording():
        return ""
    from prefect.runtime import flow_run

    return str(flow_run.id or "")


def run_date() -> dt.date:
    """The date that this run was meant for: its scheduled start when Prefect scheduled it, else today.

    A run that comes late, after an outage, bills the month it was scheduled in.
    """
    if recording():
        from prefect.runtime import flow_run

        start = flow_run.scheduled_start_time
        if start is not None:
            return clock.local(start).date() + dt.timedelta(days=clock.shift_days())
    return clock.today()


def show_table(key: str, rows: Sequence[dict[str, Any]], description: str = "") -> None:
    """Put a table beside the run in Prefect's interface: the decisions, row by row. Keys of the rows are German headings.

    Args:
        key: lower case, digits and dashes; the same key collects a history.
        rows: plain values.
        description: Markdown.
    """
    if recording():
        from prefect.artifacts import create_table_artifact

        create_table_artifact(table=[{k: _cell(v) for k, v in row.items()} for row in rows], key=key, description=description)
    else:
        log.info("%s: %d Zeilen. %s", key, len(rows), description)


def show_text(key: str, markdown: str, description: str = "") -> None:
    """Put a Markdown page beside the run: the summary with links."""
    if recording():
        from prefect.artifacts import create_markdown_artifact

        create_markdown_artifact(markdown=markdown, key=key, description=description)
    else:
        log.info("%s: %s", key, markdown)


def _cell(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


_watchers: contextvars.ContextVar[tuple[Callable[[str, int, int], None], ...]] = contextvars.ContextVar("watchers", default=())


@contextlib.contextmanager
def watched(watcher: Callable[[str, int, int], None]) -> Iterator[None]:
    """Let the command line see `Progress` as (what, done, total) while the block runs."""
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


class Progress:
    """How far a long flow is: a bar at the run in Prefect's interface, a bar in the terminal of `run --local`."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self._artifact: Any = None
        self._shown = 0.0
        if recording():
            from prefect.artifacts import create_progress_artifact

            self._artifact = create_progress_artifact(progress=0.0, description=what)
        self._tell()

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        self._tell()

    def _tell(self) -> None:
        for watcher in _watchers.get():
            watcher(self.what, self.done, self.total)
        now = time.monotonic()
        if self._artifact is not None and (now - self._shown > 1 or self.done >= self.total):
            from prefect.artifacts import update_progress_artifact

            self._shown = now
            share = 100.0 * self.done / self.total if self.total else 100.0
            update_progress_artifact(artifact_id=self._artifact, progress=min(share, 100.0))
