"""Writes docs/settings.md from the settings themselves: `python -m deployments.settings_page`."""

import sys
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from deployments.instance import ROOT
from kit.settings import PREFIX, Settings

PAGE = ROOT / "docs" / "settings.md"

HEAD = """# Einstellungen

Umgebungsvariablen, oder Zeilen in der Datei `.env` des Heimordners. Diese Seite wird aus `kit/settings.py` erzeugt:
`python -m deployments.settings_page`.

| Variable | Vorgabe | Werte | Bedeutung |
|---|---|---|---|
| `DREHKREUZ_HOME` | `./var` | Ordner | Alles, was eine Instanz behält. Zwei Heime sind zwei unabhängige Häuser. |
"""


def _values(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    return {bool: "`true`, `false`", int: "Zahl", SecretStr: "geheim"}.get(annotation, "Text")


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "leer"


def page() -> str:
    """The page as it should stand."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_values(field.annotation)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} geschrieben\n")
