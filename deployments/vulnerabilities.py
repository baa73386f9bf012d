"""Known faults of the locked packages, asked of the public databases through pip-audit; and the bill of materials.

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

from deployments.bootstrap import LOCK
from deployments.supply import Licensed, Locked
from kit.errors import DrehkreuzError

SECONDS = 300


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
        "Wiederholen Sie den Befehl auf einem Rechner mit Zugang zum Internet."
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
