"""A small flow for the machinery: says in a file of the home what it did."""

import os
import time
from pathlib import Path

import sqlalchemy as sa

from kit.errors import AwayError, ConflictError
from kit.process import free_port
from kit.steps import Outcome, Progress, flow, show_table, step


def _write(line: str) -> None:
    with (Path(os.environ["DREHKREUZ_HOME"]) / "probe.txt").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


@step(name="Zeile schreiben", run_name="Zeile {line}")
def write(line: str) -> str:
    _write(line)
    return line


@step(name="Warten")
def wait_for(name: str, seconds: float) -> None:
    """Wait until the file appears in the home."""
    deadline = time.monotonic() + seconds
    while not (Path(os.environ["DREHKREUZ_HOME"]) / name).exists() and time.monotonic() < deadline:
        time.sleep(0.05)


@step(name="Stolpern", retries=1, delay=0.1)
def stumble_once(word: str) -> None:
    """Fails the first time with a fault that passes."""
    mark = Path(os.environ["DREHKREUZ_HOME"]) / f"stumbled-{word}"
    if not mark.exists():
        mark.touch()
        raise ConnectionResetError("weg")


@step(name="Datenbank verlieren", retries=0)
def lose_database(word: str) -> None:
    """The first time the database is away, as its driver says it; the step is not tried again by itself."""
    mark = Path(os.environ["DREHKREUZ_HOME"]) / f"lost-{word}"
    if not mark.exists():
        mark.touch()
        sa.create_engine(f"postgresql+psycopg://haus@127.0.0.1:{free_port()}/weg").connect()


@step(name="Speicher verlieren", retries=0)
def lose_store(word: str) -> None:
    """The first time a store does not answer."""
    mark = Path(os.environ["DREHKREUZ_HOME"]) / f"away-{word}"
    if not mark.exists():
        mark.touch()
        raise AwayError("Speicher: antwortet nicht (SlowDown).")


@step(name="Ablehnen", retries=3, delay=0.1)
def refuse(word: str) -> None:
    """A refusal is final: it is not tried again."""
    _write(f"refused {word}")
    raise ConflictError("Nein.")


@flow(name="Probe", run_name="Probe {word}")
def probe(word: str = "", wait: str = "", fail: bool = False, open_items: int = 0, lose: str = "") -> Outcome:
    """Schreibt ein Wort.

    Args:
        word: Das Wort.
        wait: Name einer Datei, auf die gewartet wird.
        fail: Mit einem Fehler enden.
        open_items: Zahl der offenen Punkte am Ende.
        lose: Was beim ersten Mal fort ist: database oder store.
    """
    progress = Progress("Schritte", 2)
    write(f"begin {word}")
    progress.advance()
    if wait:
        wait_for(wait, 120.0)
    stumble_once(word)
    if lose:
        {"database": lose_database, "store": lose_store}[lose](word)
    if fail:
        refuse(word)
    write(f"end {word}")
    progress.advance()
    show_table("probe", [{"Wort": word, "Zustand": "geschrieben"}])
    return Outcome("Geschrieben.", tuple(f"Punkt {number}" for number in range(1, open_items + 1)))
