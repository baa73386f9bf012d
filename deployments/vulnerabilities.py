"""Known faults of the locked packages, asked of the public databases or looked up in a copy; the bill of materials.

pip-audit needs a service that answers (PyPI's JSON interface, or OSV). A package mirror often has no such interface: pip-audit
then skips every package and ends as if all was well. Here that counts as not asked.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from deployments import advisories
from deployments.advisories import BITNAMI, PYPI, Affected
from deployments.bootstrap import LOCK
from deployments.supply import Licensed, Locked, carried, locked
from kit import clock
from kit.errors import DrehkreuzError

SECONDS = 300
OLD_DAYS = 30
"""Age of a copy from which `drehkreuz audit` warns."""


class NotAskedError(DrehkreuzError):
    """No database of faults answered; nothing is known about the packages."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A published fault of a locked package. `fixed` names the versions without it, `accepted` the reviewed reason."""

    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    fixed: tuple[str, ...]
    accepted: str = ""


def ask(accepted: dict[str, str], services: Sequence[str] = ("pypi", "osv"), lock: Path = LOCK) -> list[Vulnerability]:
    """All known faults of a lock, the accepted ones marked. Raises: NotAskedError when no service knows the packages."""
    if find_spec("pip_audit") is None:
        raise NotAskedError(
            "Schwachstellen: pip-audit ist nicht installiert. Starten Sie ./drehkreuz audit aus dem Quellordner."
        )
    reasons = []
    for service in services:
        try:
            return _read(_run(service, lock), accepted)
        except NotAskedError as fault:
            reasons.append(f"{service}: {fault}")
    raise NotAskedError(
        f"Schwachstellen: keine Datenbank ist erreichbar ({'; '.join(reasons)}). Über die Pakete ist damit nichts gesagt. "
        "Wiederholen Sie den Befehl auf einem Rechner mit Zugang zum Internet, oder laden Sie dort eine Sammlung der Meldungen "
        "und nennen Sie sie hier mit --advisories."
    )


def _run(service: str, lock: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--no-deps", "--format", "json"]
    command += ["--vulnerability-service", service, "--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise NotAskedError(f"keine Antwort in {SECONDS} s") from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise NotAskedError((done.stderr.strip().splitlines() or ["ohne Antwort beendet"])[-1].partition("(")[0][:80]) from None
    return answer


def _read(answer: dict[str, Any], accepted: dict[str, str]) -> list[Vulnerability]:
    packages = answer["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        raise NotAskedError(f"{len(unknown)} von {len(packages)} Paketen kennt der Dienst nicht, zuerst {unknown[0]}")
    found = []
    for package in packages:
        for fault in package["vulns"]:
            names = [fault["id"], *fault["aliases"]]
            reason = next((accepted[name] for name in names if name in accepted), "")
            found.append(
                Vulnerability(
                    package["name"],
                    package["version"],
                    fault["id"],
                    tuple(fault["aliases"]),
                    tuple(fault["fix_versions"]),
                    reason,
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a downloaded copy says.

    `unread` are files and advisories about which nothing can be said, `unknown` the carried programs that it never names;
    `named` counts the parts that it does name. `days` is its age, None without any advisory.
    """

    found: list[Vulnerability]
    read: int
    withdrawn: int
    named: int
    unknown: list[str]
    newest: str
    days: int | None
    unread: list[str]

    @property
    def old(self) -> bool:
        """Whether so much time has passed that newer faults are likely to be missing."""
        return self.days is None or self.days > OLD_DAYS


def look_up(source: Path, accepted: dict[str, str], lock: Path = LOCK) -> LookedUp:
    """All known faults of a lock by a downloaded copy of an advisory database. Raises: AdvisoriesError."""
    now = clock.now()
    parts = dict.fromkeys((PYPI, str(canonicalize_name(package.name)), package.version) for package in locked(lock))
    programs = [(BITNAMI, name, version) for name, version in carried()]
    copy = advisories.read(source, now, {(ecosystem, name) for ecosystem, name, _ in [*parts, *programs]})
    unread, found, named = list(copy.broken), [], 0
    for ecosystem, name, version in [*parts, *programs]:
        reaching = []
        named += (ecosystem, name) in copy.packages
        for one in copy.packages.get((ecosystem, name), ()):
            try:
                if advisories.reaches(one, Version(version)):
                    reaching.append(one)
            except advisories.UnclearError as fault:
                unread.append(f"{one.advisory} zu {name}: {fault}")
        found += [_merged(name, version, group, accepted) for group in _groups(reaching)]
    days = None if copy.newest is None else max((now - copy.newest).days, 0)
    newest = "" if copy.newest is None else f"{copy.newest_id} vom {clock.local(copy.newest):%d.%m.%Y}"
    unknown = [f"{name} {version}" for ecosystem, name, version in programs if (ecosystem, name) not in copy.packages]
    return LookedUp(found, copy.read, copy.withdrawn, named, unknown, newest, days, unread)


def _groups(reaching: Sequence[Affected]) -> list[list[Affected]]:
    """The same fault under several names (PYSEC, GHSA, CVE) is one: groups whose names overlap, also through a third."""
    groups: list[list[Affected]] = []
    for one in reaching:
        same = [group for group in groups if any(one.aliases & other.aliases for other in group)]
        groups = [group for group in groups if group not in same] + [[one, *(other for group in same for other in group)]]
    return groups


def _merged(name: str, version: str, group: Sequence[Affected], accepted: dict[str, str]) -> Vulnerability:
    names = sorted({alias for one in group for alias in one.aliases}, key=lambda alias: (not alias.startswith("PYSEC"), alias))
    ours = Version(version)
    ends = {_end(text) for one in group for text in one.fixed}
    fixed = tuple(str(end) for end in sorted(end for end in ends if end is not None and end > ours))
    reason = next((accepted[alias] for alias in names if alias in accepted), "")
    return Vulnerability(name, version, names[0], tuple(names[1:]), fixed, reason)


def _end(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def bill_of_materials(packages: Sequence[Locked], licensed: Sequence[Licensed], version: str) -> str:
    """CycloneDX 1.6 as JSON: every locked package with its hashes and licence."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    known = {package.name: package.choice or package.licence for package in licensed}
    make = LicenseFactory()
    bom = Bom()
    root = Component(name="drehkreuz", version=version, type=ComponentType.APPLICATION, bom_ref=f"drehkreuz@{version}")
    bom.metadata.component = root
    for package in packages:
        licence = known.get(package.name)
        bom.components.add(
            Component(
                name=package.name,
                version=package.version,
                type=ComponentType.LIBRARY,
                purl=PackageURL("pypi", name=package.name, version=package.version),
                bom_ref=f"{package.name}@{package.version}",
                licenses=[make.make_from_string(licence)] if licence else [],
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.hashes],
            )
        )
    bom.register_dependency(root, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=1)
