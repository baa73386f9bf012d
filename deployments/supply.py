"""What the program consists of besides our own code: locked packages, hashes, licences, what is excepted and why."""

import datetime as dt
import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

from deployments.bootstrap import LOCK, ROOT

EXCEPTIONS = ROOT / "deployments" / "audit_exceptions.toml"

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0",
        "LicenseRef-Public-Domain", "Python-2.0", "Unlicense", "Zlib", "ZPL-2.1",
    }
)  # fmt: skip
"""Licences (SPDX) under which a package may be used without a further word: they ask for a notice at most."""

_NAMES = {
    "apache": "Apache-2.0", "apache-2.0": "Apache-2.0", "apache 2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0", "apache software license": "Apache-2.0", "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause", "bsd 3-clause": "BSD-3-Clause", "3-clause bsd license": "BSD-3-Clause",
    "isc license (iscl)": "ISC", "mit license": "MIT", "the mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "public domain": "LicenseRef-Public-Domain",
    "python software foundation license": "PSF-2.0", "the unlicense (unlicense)": "Unlicense",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.1-or-later",
}  # fmt: skip
"""How packages that do not speak SPDX call theirs."""
_PLACEHOLDERS = frozenset({"osi approved", "dfsg approved", "freely distributable"})


@dataclass(frozen=True, slots=True)
class Locked:
    """A package as the lock names it."""

    name: str
    version: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Licensed:
    """A package and under what we use it. `choice` names the licence taken, `reason` why that is good, both reviewed."""

    name: str
    version: str
    licence: str
    choice: str = ""
    reason: str = ""

    @property
    def fine(self) -> bool:
        """Whether every part is allowed, or one of several offered ones is, or a reviewed exception says why."""
        return bool(self.reason) or permitted(self.licence)


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What was looked at by a person and accepted."""

    licences: dict[str, tuple[str, str]]
    vulnerabilities: dict[str, str]
    expired: tuple[str, ...]


def locked(lock: Path = LOCK) -> list[Locked]:
    """The packages of a lock file, in its order."""
    found: list[Locked] = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8")):
        head = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", block)
        if head:
            found.append(Locked(head[1].lower(), head[2], tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))))
    return found


def carried() -> list[tuple[str, str]]:
    """Programs that a package brings along and that have faults of their own: name and version as the program says them."""
    from kit.postgres_layout import program_version

    return [("postgresql", program_version())]


def exceptions(today: dt.date) -> Exceptions:
    """The reviewed exceptions; one whose date has passed counts no longer and is named."""
    content = tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))
    faults = [(name, entry) for entry in content.get("vulnerability", ()) for name in entry.get("ids", [entry.get("id")])]
    valid = {name: entry["reason"] for name, entry in faults if entry["until"] >= today}
    old = tuple(name for name, entry in faults if entry["until"] < today)
    licences = {entry["package"]: (entry["choice"], entry["reason"]) for entry in content.get("licence", ())}
    return Exceptions(licences, valid, old)


def permitted(expression: str) -> bool:
    """Whether an SPDX expression asks for nothing that is not on the list (of OR one side is enough, of AND both count)."""
    tokens = re.findall(r"[()]|[^()\s]+", expression)

    def one_of() -> bool:
        good = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            good = all_of() or good
        return good

    def all_of() -> bool:
        good = single()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            good = single() and good
        return good

    def single() -> bool:
        word = tokens.pop(0) if tokens else ""
        if word != "(":
            return word in ALLOWED
        good = one_of()
        return bool(tokens) and tokens.pop(0) == ")" and good

    return one_of() and not tokens


def licence_of(told: PackageMetadata) -> str:
    """What the package's metadata say, as SPDX where they can be read so; empty when they say nothing."""
    expression = told.get_all("License-Expression")
    if expression:
        return str(expression[0])
    named = [line.rsplit(" :: ", 1)[-1] for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    named = [name for name in named if name.lower() not in _PLACEHOLDERS]
    if not named:
        lines = str((told.get_all("License") or [""])[0]).strip().splitlines()
        named = [lines[0].strip()] if lines and len(lines[0]) < 80 else []
    known = [_NAMES.get(name.lower().strip(), name.strip()) for name in named]
    return " OR ".join(dict.fromkeys(known))  # several classifiers are an offer to choose


def licences(lock: Path = LOCK) -> list[Licensed]:
    """Every locked package that is installed here, with its licence. Packages for other platforms are not installed."""
    reviewed = exceptions(dt.date.min).licences
    found = []
    for package in locked(lock):
        try:
            told = metadata(package.name)
        except PackageNotFoundError:
            continue
        found.append(Licensed(package.name, package.version, licence_of(told), *reviewed.get(package.name, ("", ""))))
    return found


def abandoned(lock: Path = LOCK) -> list[str]:
    """Locked packages whose own metadata say that they are no longer developed."""
    found = []
    for package in locked(lock):
        try:
            classifiers = metadata(package.name).get_all("Classifier") or []
        except PackageNotFoundError:
            continue
        if "Development Status :: 7 - Inactive" in classifiers:
            found.append(package.name)
    return found
