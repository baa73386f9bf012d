"""`drehkreuz crash-test`: kills processes again and again and compares the end with an undisturbed run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.commands.shared import print_json, progress
from kit.errors import DrehkreuzError, UsageError

if TYPE_CHECKING:
    from deployments.crash.result import Result

INTERRUPTED = 130


def crash_test_command(
    *,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", min=1, help="Zahl der Kills; nachts 1000")] = 60,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Los der Stellen; dasselbe Los trifft dieselben")] = 1,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", metavar="NAME", help="nur dieses; mehrfach möglich", show_default=False)
    ] = None,
    services: Annotated[
        int | None,
        typer.Option(
            "--services",
            metavar="N",
            min=0,
            help="Kills an Diensten (Server, Datenbank, Supervisor …); sonst 3, bei vielen jeder vierzigste",
            show_default=False,
        ),
    ] = None,
    victim: Annotated[
        list[str] | None,
        typer.Option(
            "--victim",
            metavar="NAME",
            help="nur diese Dienste töten: server, database, supervisor, worker, flow, relay, doorbell; mehrfach möglich",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DATEI", help="Bericht als Markdown", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Ergebnis als JSON auf die Standardausgabe")] = False,
) -> None:
    """Tötet Prozesse mit kill -9 und vergleicht den Endstand mit einem ungestörten Lauf. Nur in eigenen, kurzlebigen Heimen."""
    from deployments.crash import report as reports
    from deployments.crash.house import CrashTestError
    from deployments.crash.run import Plan, chosen, crash_test, known_victims

    chosen(scenario or ())
    plan = Plan(rounds, seed, tuple(scenario or ()), services, victims=known_victims(victim or ()))
    if report is not None and not report.parent.is_dir():
        raise UsageError(f"{report}: Den Ordner {report.parent} gibt es nicht.")
    try:
        with progress("Absturztest") as bar:
            result = crash_test(plan, _tell, bar)
    except (CrashTestError, TimeoutError) as fault:
        raise DrehkreuzError(f"Absturztest: {fault}") from fault
    if report is not None:
        report.write_text(reports.markdown(result), encoding="utf-8")
    if as_json:
        print_json(reports.as_json(result))
    else:
        print(reports.markdown(result) if report is None else f"{reports.verdict(result)} Bericht: {report}")
    _end(result)


def _tell(line: str) -> None:
    """Each kill, where lines are kept; on a terminal the bar is enough."""
    if not sys.stderr.isatty():
        print(line, file=sys.stderr, flush=True)


def _end(result: "Result") -> None:
    for fault in result.faults:
        print(fault, file=sys.stderr)
    if result.faults:
        raise typer.Exit(1)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("crash-test")(crash_test_command)
