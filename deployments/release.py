"""Whether everything that names the version agrees, before a release is tagged: `python -m deployments.release`."""

import hashlib
import re
import sys
from collections.abc import Iterator

from deployments.instance import ROOT
from kit.version import version
from models import schema
from models.migrations.releases import RELEASES

MIGRATIONS = ROOT / "models" / "migrations" / "versions"
UPGRADE_PAGE = "docs/runbooks/aktualisierung.md"


def faults(number: str) -> Iterator[str]:
    """What still contradicts a release of this number, in German sentences."""
    if not re.search(rf"^## {re.escape(number)}(\s|$)", _text("CHANGELOG.md"), re.MULTILINE):
        yield f"CHANGELOG.md: Der Abschnitt »## {number}« fehlt."
    for path in ("deployments/scale/compose.yaml", "deployments/scale/Dockerfile", *_manifests()):
        for found in set(re.findall(r"drehkreuz:(\d+\.\d+\.\d+)", _text(path))) - {number}:
            yield f"{path}: nennt das Abbild {found} statt {number}."
    if not (ROOT / "tests" / "upgrade" / f"{number}.json.gz").exists():
        yield f"tests/upgrade/{number}.json.gz: fehlt (python -m tests.upgrade.frozen {number} KUNDEN)."
    release = RELEASES.get(number)
    if release is None:
        yield f"models/migrations/releases.py: {number} fehlt; der Stand ist {schema.head()}."
        return
    if release.revision != schema.head():
        yield (
            f"models/migrations/releases.py: {number} endet bei {release.revision}, die Migrationen bei {schema.head()} "
            f"(Prüfsumme {digest(schema.head())})."
        )
    if release.migrations_sha256 != digest(release.revision):
        yield f"models/migrations/releases.py: Die Prüfsumme der Migrationen bis {release.revision} ist eine andere."
    if f"| {number} | `{release.revision}` |" not in _text(UPGRADE_PAGE):
        yield f"{UPGRADE_PAGE}: Die Zeile »| {number} | `{release.revision}` |« fehlt."


def digest(revision: str) -> str:
    """SHA-256 over the files of all migrations up to this one; their names begin with their order."""
    told = hashlib.sha256()
    for path in sorted(MIGRATIONS.glob("[0-9]*.py")):
        told.update(path.read_bytes())
        if path.stem == revision:
            break
    return told.hexdigest()


def _manifests() -> list[str]:
    folder = ROOT / "deployments" / "scale" / "kubernetes"
    return sorted(str(path.relative_to(ROOT)) for path in folder.glob("*.yaml"))


def _text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def main() -> int:
    """Tell what contradicts the version of pyproject.toml; 1 when something does."""
    number = version()
    found = list(faults(number))
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    sys.stdout.write(f"{number}: {f'{len(found)} Widersprüche' if found else 'bereit zur Veröffentlichung'}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
