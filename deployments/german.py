"""Typer with German words. Import `typer` from this module first; whoever imports it later gets the same one.

Its own headings pass through gettext while it is imported and are translated there; what it hard-codes is replaced, or
translated by `sentence` when it is an error. `tests/deployments` reads the help and fails when English shows.
"""

import errno
import gettext
import re
from importlib import import_module
from typing import Any

WORDS = {
    "Arguments": "Argumente",
    "Options": "Optionen",
    "Commands": "Befehle",
    "Error": "Fehler",
    "Aborted.": "Abgebrochen.",
    "[default: {}]": "[Vorgabe: {}]",
    "[env var: {}]": "[Umgebungsvariable: {}]",
    "[required]": "[nötig]",
    "required": "nötig",
    "default: {default}": "Vorgabe: {default}",
    "(deprecated) ": "(veraltet) ",
    "Missing command.": "Es fehlt der Befehl.",
    "No such command {name!r}.": "Den Befehl {name!r} gibt es nicht.",
}
SENTENCES = (
    (r"^No such option: (\S+?)\.?$", r"Die Option \1 gibt es nicht."),
    (r"^No such option: (\S+) \(Possible options: (.+)\)$", r"Die Option \1 gibt es nicht; gemeint vielleicht: \2"),
    (r"^No such command (.+?)\.$", r"Den Befehl \1 gibt es nicht."),
    (r"^Missing command\.$", "Es fehlt der Befehl."),
    (r"^Missing argument (.+?)\.$", r"Es fehlt das Argument \1."),
    (r"^Missing option (.+?)\.$", r"Es fehlt die Option \1."),
    (r"^Missing (parameter|argument|option)(.*)$", r"Es fehlt eine Angabe\2"),
    (r"^Got unexpected extra argument\(?s?\)? \((.+)\)$", r"Überzählige Angabe: \1"),
    (
        r"^Invalid value for (.+?): (?:Value error, )?'(.*)' does not match the formats? '%Y-%m-%d'\.?$",
        r"Ungültiger Wert für \1: »\2« ist kein Tag. Bitte als JJJJ-MM-TT angeben, etwa 2026-10-31.",
    ),
    (
        r"^Invalid value for (.+?): .*'(.*)' is not a valid int(?:eger)?.*$",
        r"Ungültiger Wert für \1: »\2« ist keine ganze Zahl.",
    ),
    (
        r"^Invalid value for (.+?): Input should be a valid integer.*$",
        r"Ungültiger Wert für \1: Bitte eine ganze Zahl angeben.",
    ),
    (r"^Invalid value for (.+?): Input should be a valid number.*$", r"Ungültiger Wert für \1: Bitte eine Zahl angeben."),
    (
        r"^Invalid value for (.+?): Input should be greater than or equal to (\S+)$",
        r"Ungültiger Wert für \1: Er muss mindestens \2 sein.",
    ),
    (
        r"^Invalid value for (.+?): Input should be less than or equal to (\S+)$",
        r"Ungültiger Wert für \1: Er darf höchstens \2 sein.",
    ),
    (r"^Invalid value for (.+?): (.*)$", r"Ungültiger Wert für \1: \2"),
    (r"^Option (.+) requires an argument\.$", r"Die Option \1 braucht einen Wert."),
    (r"^Option (.+) does not take a value\.$", r"Die Option \1 nimmt keinen Wert."),
)


def sentence(message: str) -> str:
    """One of Typer's error messages in German; unknown ones stay as they are."""
    for pattern, german in SENTENCES:
        if re.match(pattern, message, re.DOTALL):
            return re.sub(pattern, german, message, flags=re.DOTALL)
    return message


FILE_FAULTS = {
    errno.ENOENT: "Diesen Ort gibt es nicht",
    errno.ENOTDIR: "Auf dem Weg dorthin liegt eine Datei, kein Ordner",
    errno.EISDIR: "Dort liegt ein Ordner, keine Datei",
    errno.EACCES: "Der Zugriff ist nicht erlaubt",
    errno.EPERM: "Der Zugriff ist nicht erlaubt",
    errno.EROFS: "Der Datenträger ist schreibgeschützt",
    errno.ENOSPC: "Auf dem Datenträger ist kein Platz mehr",
    errno.EDQUOT: "Das Speicherkontingent ist erschöpft",
    errno.ENAMETOOLONG: "Der Name ist zu lang",
}


def file_fault(fault: OSError) -> str | None:
    """What is wrong with a file or a disk, and what to do; nothing for faults that are neither."""
    what = FILE_FAULTS.get(fault.errno or 0)
    if what is None:
        return None
    where = f"{fault.filename}: " if fault.filename else ""
    remedy = "Schaffen Sie Platz" if fault.errno in (errno.ENOSPC, errno.EDQUOT) else "Prüfen Sie Pfad und Rechte"
    return f"{where}{what}. {remedy} und rufen Sie den Befehl noch einmal auf."


def _translate_fixed_texts() -> None:
    formatting: Any = import_module("typer._click.formatting")
    decorators: Any = import_module("typer._click.decorators")
    write_usage, help_option = formatting.HelpFormatter.write_usage, decorators.help_option

    def usage(self: Any, prog: str, args: str = "", prefix: str | None = None) -> None:
        write_usage(self, prog, args, prefix or "Aufruf: ")

    def german_help(names: list[str]) -> Any:
        def apply(command: Any) -> Any:
            done = help_option(names)(command)
            command.params[-1].help = "Zeigt diese Hilfe."
            return done

        return apply

    formatting.HelpFormatter.write_usage, decorators.help_option = usage, german_help


_kept = gettext.gettext
gettext.gettext = lambda message: WORDS.get(message, message)
try:
    import typer
    import typer.rich_utils  # loaded late otherwise, then in English
finally:
    gettext.gettext = _kept
_translate_fixed_texts()

__all__ = ["file_fault", "sentence", "typer"]
