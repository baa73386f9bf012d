"""The command `drehkreuz`. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with items that need a person."""

import datetime as dt
import importlib
import logging
import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

from deployments.german import file_fault, sentence, typer
from kit import clock
from kit.errors import DrehkreuzError, UsageError

MODULES = {
    "demo": "demo",
    "test": "test",
    "up": "up",
    "import": "company",
    "export": "company",
    "run": "run",
    "billing": "billing",
    "documents": "billing",
    "mail": "mail",
    "tickets": "mail",
    "goods": "goods",
    "assets": "assets",
    "maintenance": "maintenance",
    "login": "login",
    "forget": "forget",
    "doctor": "doctor",
    "serve": "serve",
    "backup": "backup",
    "restore": "backup",
    "audit": "audit",
    "crash-test": "crash_test",
    "promises": "promises",
}
"""Command -> module of deployments/commands: only the one that is called is loaded, some need a second."""

INTERRUPTED = 130


def _tell_version(wanted: bool) -> None:
    if wanted:
        from kit.version import version

        print(f"drehkreuz {version()}")
        raise typer.Exit


def options(
    today: Annotated[
        str,
        typer.Option(
            "--today", metavar="JJJJ-MM-TT", help="Datum der einen Uhr; die Uhrzeit läuft weiter.", show_default=False
        ),
    ] = "",
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Nennt die Fassung und endet."),
    ] = False,
) -> None:
    """Drehkreuz: die Serviceprozesse eines IT-Hauses, jeder jederzeit wieder startbar."""
    if today:
        try:
            clock.set_today(dt.date.fromisoformat(today))
        except ValueError:
            raise UsageError(f"--today {today}: ist kein Datum. Schreiben Sie es als JJJJ-MM-TT, etwa 2026-11-02.") from None


def application(arguments: list[str]) -> typer.Typer:
    """The command line with the commands that these arguments need; all of them for the help."""
    app = typer.Typer(
        name="drehkreuz",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(options)
    called = _called(arguments)
    chosen = [MODULES[called]] if called in MODULES else list(dict.fromkeys(MODULES.values()))
    for name in chosen:
        importlib.import_module(f"deployments.commands.{name}").register(app)
    return app


def _called(arguments: list[str]) -> str:
    rest = iter(arguments)
    for argument in rest:
        if argument == "--today":
            next(rest, None)
        elif not argument.startswith("-"):
            return argument
    return ""


def run(arguments: list[str]) -> int:
    """Run one command; its exit code. Reasons go to stderr in one line, traces to the log of the home."""
    from typer.exceptions import TyperException

    try:
        code = application(arguments)(arguments, prog_name="drehkreuz", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except TyperException as fault:
        return _wrong_usage(fault.format_message(), fault.exit_code)
    except DrehkreuzError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("Abgebrochen.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except OSError as fault:
        if told := file_fault(fault):
            print(told, file=sys.stderr)
            return 1
        return _unexpected(fault)
    except Exception as fault:  # noqa: BLE001  (people get a sentence, the trace goes to the log)
        return _unexpected(fault)


def _wrong_usage(message: str, code: int) -> int:
    first = message.lstrip().splitlines()[0] if message.strip() else ""
    if first.startswith("Aufruf"):  # the help itself, asked for by leaving everything out
        print(message, file=sys.stderr)
    else:
        print(f"{sentence(message)}\nHilfe: drehkreuz --help", file=sys.stderr)
    return code


def _unexpected(fault: Exception) -> int:
    from deployments.faults import explained
    from kit import log as logs

    reason = (str(fault).strip().splitlines() or [""])[0]
    try:
        logs.configure("cli", terminal=False)
        logging.getLogger("cli").error("Unerwarteter Fehler", exc_info=fault)
        where = "Einzelheiten stehen in log/cli.jsonl des Heimordners."
    except OSError:
        where = "Der Heimordner ist nicht beschreibbar."
    if known := explained(fault):
        print(f"{known} {where}", file=sys.stderr)
        return 1
    print(f"Unerwarteter Fehler ({type(fault).__name__}): {reason} {where}", file=sys.stderr)
    return 1


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> NoReturn:
    """Entry of the command; SIGTERM ends it as cleanly as Ctrl-C."""
    os.umask(0o077)  # what a house keeps is for its own account alone; children inherit that
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also when started in the background of a script
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
    sys.exit(code)


if __name__ == "__main__":
    main()
