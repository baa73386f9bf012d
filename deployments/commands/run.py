"""`drehkreuz run FLOW [--param k=v …] [--local]`: start a flow and follow it to its end."""

import sys
from typing import Annotated

import typer

from deployments.catalogue import Startable, flow_named, split_parameters
from deployments.commands.shared import PERSON_NEEDED, progress
from deployments.commands.up import tell


def run_command(
    flow: Annotated[
        str, typer.Argument(metavar="FLOW", help="Name wie in prefect.yaml, etwa monthly_billing", show_default=False)
    ],
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="k=v", help="Parameter; mehrfach möglich", show_default=False)
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="in diesem Prozess, ohne Server; versendet auch die Post")] = False,
) -> None:
    """Startet einen Flow und verfolgt ihn bis zum Ende. Was dazu laufen muss und nicht läuft, startet und endet mit ihm."""
    known, given = flow_named(flow), split_parameters(param or [])
    if local:
        _local(known, given)
    else:
        _at_the_worker(known.name, given)


def _finish(summary: str, items: list[str]) -> None:
    print(summary)
    for item in items:
        print(f"- {item}")
    if items:
        raise typer.Exit(PERSON_NEEDED)


def _local(flow: Startable, given: dict[str, str]) -> None:
    from deployments.local_run import run_locally
    from kit.postgres import database_for_home
    from models import schema

    with database_for_home():
        schema.upgrade()
        with progress(flow.name) as bar:
            outcome = run_locally(flow, given, lambda _what, done, total: bar(done, total))
    _finish(outcome.summary, list(outcome.open_items))


def _at_the_worker(name: str, given: dict[str, str]) -> None:
    from deployments.follow import Follower, RunFailedError, start
    from deployments.instance import instance
    from deployments.prefect_api import PrefectApi
    from deployments.supervisor import services
    from kit.steps import OPEN_ITEMS

    target = instance()
    with services(target, tell) as own, PrefectApi(target) as api:
        if own is not None:
            own.wait_deployed()
        run_id = start(api, name, given)
        tell(f"Lauf gestartet: {target.prefect_ui_url}/runs/flow-run/{run_id}")
        with progress(name) as bar:
            run = Follower(api, tell, lambda _what, done, total: bar(done, total)).to_the_end(run_id)
    state = run["state"]
    message = (state["message"] or "").strip()
    if state["type"] != "COMPLETED":
        raise RunFailedError(f"Lauf »{run['name']}«: {message or state['name']}")
    summary, *items = message.splitlines() or ["Fertig."]
    _finish(summary, [item.removeprefix("- ") for item in items] if state["name"] == OPEN_ITEMS else [])
    sys.stdout.flush()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run_command)
