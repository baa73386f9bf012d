"""The version of this program, as pyproject.toml names it."""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def version() -> str:
    """For example "0.1.0"."""
    return str(tomllib.loads(PROJECT.read_text("utf-8"))["project"]["version"])
