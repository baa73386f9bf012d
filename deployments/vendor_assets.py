"""Brings the browser assets of others into `portal/static/vendor/`: only the files that pages load, with licence and hashes.

    python -m deployments.vendor_assets            checks what lies there (the same check runs in the tests)
    python -m deployments.vendor_assets --renew    fetches the pinned packages with npm and writes the files again

Each folder holds a `VERSION` with name, version, the integrity value published by the registry, and one SHA-256 per file.
"""

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "portal" / "static" / "vendor"
LICENCES = Path(__file__).resolve().parent / "licences"
"""Texts that a licence asks for and the published package leaves out."""

ICONS = [
    "adjustments",
    "alert-circle",
    "alert-triangle",
    "arrow-back-up",
    "arrow-left",
    "arrow-right",
    "ban",
    "building",
    "bulb",
    "calendar-month",
    "camera",
    "camera-off",
    "chart-bar",
    "check",
    "checkbox",
    "checklist",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-check",
    "clock",
    "coin-euro",
    "cpu",
    "device-desktop",
    "devices",
    "dots",
    "download",
    "edit",
    "eye",
    "file-invoice",
    "file-text",
    "file-type-pdf",
    "filter",
    "headset",
    "help",
    "history",
    "home",
    "hourglass",
    "inbox",
    "info-circle",
    "key",
    "keyboard",
    "layout-dashboard",
    "list-check",
    "lock",
    "logout",
    "mail",
    "mail-exclamation",
    "menu-2",
    "package",
    "player-play",
    "plus",
    "printer",
    "qrcode",
    "receipt-euro",
    "refresh",
    "report-money",
    "search",
    "send",
    "settings",
    "shield-check",
    "shield-lock",
    "switch-horizontal",
    "tool",
    "trash",
    "truck-delivery",
    "user",
    "user-plus",
    "users",
    "x",
]

# the style sheet names its licence (MIT) and its authors in its banner, the package ships no licence file
MIT = """MIT License

Copyright 2018-2026 The Tabler Authors
Copyright 2018-2026 codecalm.net Paweł Kuna

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the npm registry and what we keep of it: path inside -> file name here."""

    folder: str
    name: str
    version: str
    integrity: str
    files: dict[str, str]
    licence: str = ""
    beside: dict[str, str] = field(default_factory=dict)
    """File name here -> text in LICENCES, for what is compiled in."""


PACKAGES = (
    Package(
        "htmx",
        "htmx.org",
        "4.0.1",
        "sha512-oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
        {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"},
    ),
    Package(
        "tabler",
        "@tabler/core",
        "1.6.1",
        "sha512-lgmR9gcxRp5JlLxcmRi9Rz85JrEvH6Bz71KnlcPVSa97wtwQNjgSs3g3fxwbAlulHyRMghhIV04QUuW3pqDsIg==",
        {"dist/css/tabler.min.css": "tabler.min.css"},
        licence=MIT,
    ),
    Package(
        "tabler-icons",
        "@tabler/icons",
        "3.51.0",
        "sha512-0pinvPZz7YeX+OSfxuEAbnEPWbocVXW5iU8h5lh41pYG8sZuQfpWECC980lxOT0clGIcNGn8xsBr+zKaRGdA/g==",
        {f"icons/outline/{icon}.svg": f"{icon}.svg" for icon in ICONS} | {"LICENSE": "LICENSE"},
    ),
    Package(
        "zxing-wasm",
        "zxing-wasm",
        "3.1.4",
        "sha512-1+v8p7sauddySVNG+ye7GD/0TS95BG2ycdkrC+EnBrFBFkHeIghzUt2yVjtx3NucJeNrQnhT8yGAIz60Vx9o0w==",
        {"dist/iife/reader/index.js": "zxing.js", "dist/reader/zxing_reader.wasm": "zxing_reader.wasm", "LICENSE": "LICENSE"},
        beside={"CONTAINS": "zxing-wasm-contains.txt", "LICENSE-APACHE-2.0": "apache-2.0.txt"},
    ),
)


class VendorError(Exception):
    """What lies there is not what was published."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def faults(vendor: Path = VENDOR) -> list[str]:
    """What differs between the folders and their VERSION files; empty when all is in order."""
    found = []
    for package in PACKAGES:
        folder = vendor / package.folder
        try:
            stated = json.loads((folder / "VERSION").read_text(encoding="utf-8"))
        except FileNotFoundError:
            found.append(f"{package.folder}: VERSION fehlt")
            continue
        if (stated["name"], stated["version"], stated["integrity"]) != (package.name, package.version, package.integrity):
            found.append(f"{package.folder}: VERSION nennt {stated['name']} {stated['version']}, erwartet {package.version}")
        present = {path.name for path in folder.iterdir()} - {"VERSION"}
        expected = set(package.files.values()) | {"LICENSE"} | set(package.beside)
        found += [f"{package.folder}/{name}: fehlt oder gehört nicht hierher" for name in sorted(present ^ expected)]
        for name, digest in stated["sha256"].items():
            path = folder / name
            if path.exists() and sha256(path.read_bytes()) != digest:
                found.append(f"{package.folder}/{name}: Inhalt weicht von der veröffentlichten Fassung ab")
    return found


def _packed(package: Package, folder: Path) -> dict[str, bytes]:
    """Fetch with npm and take the wanted files out, after the whole package matched its published integrity."""
    answer = subprocess.run(
        ["npm", "pack", f"{package.name}@{package.version}", "--json", "--silent"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = folder / json.loads(answer.stdout)[0]["filename"]
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.integrity:
        raise VendorError(f"{package.name} {package.version}: Prüfsumme {digest} statt {package.integrity}")
    found = {}
    with tarfile.open(archive) as tar:
        for inside, name in package.files.items():
            member = tar.extractfile(f"package/{inside}")
            if member is None:
                raise VendorError(f"{package.name} {package.version}: {inside} ist keine Datei")
            found[name] = member.read()
    if package.licence:
        found["LICENSE"] = package.licence.encode()
    found |= {name: (LICENCES / text).read_bytes() for name, text in package.beside.items()}
    return {name: _without_map(name, content) for name, content in found.items()}


def _without_map(name: str, content: bytes) -> bytes:
    """Source maps stay behind, so the pointer to them does too (browsers with open tools would ask for it)."""
    if not name.endswith((".js", ".css")):
        return content
    lines = content.rstrip().split(b"\n")
    if b"sourceMappingURL=" in lines[-1]:
        lines[-1] = lines[-1].split(b"/*# sourceMappingURL=")[0].split(b"//# sourceMappingURL=")[0]
    return b"\n".join(lines).rstrip() + b"\n"


def renew(vendor: Path = VENDOR) -> None:
    """Write every folder anew from the registry. Raises: VendorError when a package is not the published one."""
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as temporary:
            files = _packed(package, Path(temporary))
        folder = vendor / package.folder
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        version = {
            "name": package.name,
            "version": package.version,
            "integrity": package.integrity,
            "sha256": {name: sha256(content) for name, content in sorted(files.items())},
        }
        (folder / "VERSION").write_text(json.dumps(version, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true", help="mit npm neu holen")
    if parser.parse_args().renew:
        renew()
    found = faults()
    print("\n".join(found) or f"{len(PACKAGES)} Pakete in Ordnung")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
