"""`drehkreuz up`: the services of this home until Ctrl-C or SIGTERM."""

import signal
import sys
import threading
import time
from types import FrameType

import typer

from deployments.instance import Instance, instance


def tell(line: str) -> None:
    """A line for whoever watches."""
    print(line, file=sys.stderr, flush=True)


def addresses(target: Instance) -> list[str]:
    """Where people find what runs."""
    user, _, password = target.credential.partition(":")
    if not sys.stdout.isatty():  # the journal of a service is read by more people than this home
        password = f"in {target.home / 'secrets' / 'prefect'}"
    lines = [
        f"Portal          {target.portal_url}",
        f"Prefect         {target.prefect_url}   (Benutzer {user}, Kennwort {password})",
    ]
    if target.uses_sink():
        lines.append(
            f"Ausgehende Post {target.mail_folder}   (es ist kein Mailserver eingestellt, nichts verlässt diesen Rechner)"
        )
    return lines


def up_command() -> None:
    """Startet die Dienste dieses Heims (Datenbank, Prefect, Worker, Portal, Türklingel); Strg-C oder SIGTERM beendet alle."""
    from deployments.supervisor import Supervisor  # half a second of imports, not for the help

    end = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        end.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, asked)
    target = instance()
    started = time.monotonic()
    supervisor = Supervisor(target, tell)
    supervisor.start()
    try:
        supervisor.wait_ready(stop=end)
        if not end.is_set():
            tell(f"Bereit nach {time.monotonic() - started:.1f} s")
            print("\n".join(addresses(target)), flush=True)
            tell("Strg-C beendet alle Dienste.")
        end.wait()
        tell("Dienste werden beendet …")
    finally:
        supervisor.stop()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up_command)
