"""`drehkreuz demo [--exit]`: everything started, the example company's month, and where to look at it."""

import os
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.commands.up import addresses, tell

if TYPE_CHECKING:
    from deployments.demo import Demo


def _prepare() -> None:
    """The clock of the example, no days of grace, links to this machine, no second factor; what is set by hand stays."""
    import datetime as dt

    from deployments.demo import TODAY
    from deployments.instance import instance
    from kit import clock

    if not clock.shift_days():
        clock.set_today(dt.date.fromisoformat(TODAY))
    os.environ.setdefault("DREHKREUZ_REPORT_GRACE_DAYS", "0")
    os.environ.setdefault("DREHKREUZ_PORTAL_URL", instance().portal_url)
    os.environ.setdefault("DREHKREUZ_SECOND_FACTOR", "optional")


def demo_command(
    end: Annotated[bool, typer.Option("--exit", help="nach dem Monat alles beenden, statt auf Strg-C zu warten")] = False,
) -> None:
    """Startet alles, rechnet den Monat einer Beispielfirma ab und zeigt, wo man was sieht. Nichts verlässt den Rechner."""
    from deployments.demo import STEPS, Demo
    from deployments.demo_checks import October
    from deployments.demo_history import bill_september, refuse_other_company
    from deployments.instance import instance
    from deployments.supervisor import Supervisor

    _prepare()
    target = instance()
    started = time.monotonic()
    october = None
    with ExitStack() as ended:
        if bill_september(target):
            tell(f"September abgerechnet, als wäre es der 2. Oktober ({time.monotonic() - started:.0f} s)")
            october = October(target)
            ended.callback(october.end)
        supervisor = ended.enter_context(Supervisor(target, tell))
        refuse_other_company()
        supervisor.wait_ready()
        supervisor.wait_deployed()
        tell(f"Bereit nach {time.monotonic() - started:.1f} s")
        demo = Demo(target, lambda line: print(f"   {line}", flush=True), october)
        for number, step in enumerate(STEPS, start=1):
            print(f"\n{number}. {step.title}", flush=True)
            step.do(demo)
        _show(demo)
        print(f"\nFertig nach {time.monotonic() - started:.0f} s.", flush=True)
        if not end:
            print("Strg-C beendet alles.", flush=True)
            with suppress(KeyboardInterrupt):
                threading.Event().wait()


def _show(demo: "Demo") -> None:
    from kit.database import home_secret

    print("\nHier sehen Sie es:")
    for line in addresses(demo.target):
        print(f"   {line}")
    for place, where in demo.places.items():
        print(f"   {place:<15} {where}")
    print(f"\nZugänge zum Portal, alle mit dem Kennwort {home_secret('demo-login')}")
    for email, task in demo.logins.items():
        print(f"   {task:<15} {email}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo_command)
