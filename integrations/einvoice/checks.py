"""Checks before an invoice may leave: schema, EN 16931 and XRechnung rules, and what the law and our promises add.

Whatever is in doubt fails: an invoice that cannot be read, a schema that cannot be loaded, a rule engine that stumbles.
The record goes into the archive with the invoice: it is the proof of due diligence (BMF, 15 October 2025).
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import drafthorse
import einvoice
from lxml import etree
from lxml.etree import _Element as Element

from integrations.einvoice.build import Profile
from integrations.einvoice.own_rules import own_findings
from integrations.einvoice.reading import Finding, Reading

_NAMESPACE = re.compile(r"\{[^}]*\}")
XSD = "Factur-X_1.0.07_EN16931.xsd"


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """What was checked by what, and what was found. No time in it: the same invoice gives the same record."""

    ok: bool
    invoice_number: str
    profile: str
    sha256: str
    """Of the XML that was checked."""
    findings: tuple[Finding, ...]
    tools: dict[str, str]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the invoice may not leave, in German; empty when it may."""
        return tuple(f"{f.rule}: {f.text}" for f in self.findings if f.severity == "fatal")

    def as_json(self) -> dict[str, Any]:
        """For the archive."""
        return {**asdict(self), "findings": [asdict(f) for f in self.findings]}


def check(xml: bytes) -> CheckRecord:
    """Check a structured invoice by the rules of the profile that it names.

    Never raises: what cannot be checked is not in order.
    """
    try:
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        return _record(xml, "", "", [_fatal("XML", f"Die Rechnung ist kein lesbares XML ({error}).")])
    reading = Reading(root)
    findings = [*_schema_findings(root), *_rule_findings(xml, reading), *_guarded(reading)]
    return _record(xml, reading.number, reading.guideline, findings)


def _fatal(rule: str, text: str) -> Finding:
    return Finding(rule=rule, severity="fatal", text=text)


def _record(xml: bytes, number: str, profile: str, findings: list[Finding]) -> CheckRecord:
    return CheckRecord(
        ok=not any(f.severity == "fatal" for f in findings),
        invoice_number=number,
        profile=profile,
        sha256=hashlib.sha256(xml).hexdigest(),
        findings=tuple(findings),
        tools={"xsd": XSD, "verifyhash-einvoice": _engine_version()},
    )


@lru_cache(maxsize=1)
def _engine_version() -> str:
    return metadata.version("verifyhash-einvoice")


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(Path(drafthorse.__file__).parent / "schema" / XSD))


def _schema_findings(root: Element) -> Iterable[Finding]:
    try:
        _schema().assertValid(root)
    except etree.DocumentInvalid as error:
        yield _fatal("XSD", f"Die Rechnung entspricht nicht dem Schema ({_NAMESPACE.sub('', str(error))}).")
    except (etree.LxmlError, OSError) as error:
        yield _fatal("XSD", f"Das Schema der Rechnung konnte nicht angewendet werden ({error}).")


@lru_cache(maxsize=1)
def _german() -> dict[str, str]:
    """Rule id -> its demand in German, from the rule engine's own catalogue."""
    catalogue = json.loads((resources.files("einvoice") / "remediation_catalog.json").read_text("utf-8"))
    return {rule: str(entry.get("title_de") or entry.get("title") or "") for rule, entry in catalogue["rules"].items()}


def _rule_findings(xml: bytes, reading: Reading) -> Iterable[Finding]:
    """EN 16931 for both profiles, the German rules for XRechnung."""
    profile = "xrechnung" if reading.guideline == Profile.XRECHNUNG else "en16931"
    try:
        result = einvoice.validate_root(ET.fromstring(xml), profile)  # noqa: S314 - read safely by lxml before
    except Exception as error:  # noqa: BLE001 - an engine that stumbles has not approved anything
        return [_fatal("EN16931", f"Die Geschäftsregeln konnten nicht geprüft werden ({type(error).__name__}: {error}).")]
    return [
        Finding(
            rule=violation.rule_id,
            severity=str(violation.severity),
            text=_german().get(violation.rule_id) or violation.message,
        )
        for violation in result.violations
    ]


def _guarded(reading: Reading) -> Iterable[Finding]:
    try:
        return own_findings(reading)
    except Exception as error:  # noqa: BLE001 - a check that stumbles has not approved anything
        return [_fatal("DK", f"Die eigenen Regeln konnten nicht geprüft werden ({type(error).__name__}: {error}).")]
