"""Writes docs/licences.md from what is installed: `python -m deployments.licences_page`."""

import sys

from deployments.instance import ROOT
from deployments.supply import Licensed, licences

PAGE = ROOT / "docs" / "licences.md"

HEAD = """# Lizenzen

Alle Pakete, die zum Betrieb gehören (`requirements.lock`), mit der Lizenz aus ihren Metadaten. Diese Seite wird erzeugt:
`python -m deployments.licences_page`. Was ohne weiteres erlaubt ist, steht in `deployments/supply.py`; jede andere Lizenz hat
unten ihre geprüfte Begründung aus `deployments/audit_exceptions.toml`. Nicht aufgeführt sind Pakete, die nur auf anderen
Betriebssystemen installiert werden, und die Schriften und Skripte, die im Quelltext liegen; deren Lizenzen liegen bei ihnen.

## Geprüfte Ausnahmen

| Paket | Lizenz laut Metadaten | genutzt unter | Begründung |
|---|---|---|---|
"""

ALL = """
## Alle Pakete

| Paket | Lizenz |
|---|---|
"""


def _excepted(package: Licensed) -> str:
    return f"| {package.name} | {package.licence or 'keine Angabe'} | {package.choice} | {package.reason} |"


def page() -> str:
    """The page as it should stand. Versions are left out: the lock names them, and a licence rarely follows them."""
    found = licences()
    excepted = [_excepted(package) for package in found if package.reason]
    rows = [f"| {package.name} | {package.choice or package.licence} |" for package in found]
    return HEAD + "\n".join(excepted) + "\n" + ALL + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} geschrieben\n")
