"""Looks for keys and passwords in all tracked files: `python -m tests.security.secrets_scan` writes the reviewed baseline anew."""

import json
import subprocess
import sys
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]
BASELINE = Path(__file__).resolve().parent / "secrets.baseline.json"
UNREADABLE = (".png", ".gz", ".ttf", ".otf", ".woff2", ".pdf", ".lock", ".min.js", ".min.css", ".svg")
ELSEWHERE = ("portal/static/vendor/", "examples/company/")
"""Files by others, held by their own hashes; the example company, written by a program whose sources are searched."""
PLUGINS = [
    {"name": "BasicAuthDetector"},
    {"name": "KeywordDetector"},
    {"name": "Base64HighEntropyString", "limit": 4.7},
    {"name": "HexHighEntropyString", "limit": 3.2},
    *(
        {"name": name}
        for name in (
        "AWSKeyDetector", "AzureStorageKeyDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "NpmDetector",
        "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "StripeDetector",
        "TwilioKeyDetector",
        )
    ),
]  # fmt: skip
FILTERS = [
    {"path": f"detect_secrets.filters.heuristic.{name}"}
    for name in ("is_indirect_reference", "is_templated_secret", "is_sequential_string", "is_potential_uuid")
]


def tracked() -> list[Path]:
    """Files of the repository that a person could have written something into."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name and not name.endswith(UNREADABLE) and not name.startswith(ELSEWHERE)]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def scan(files: list[Path], root: Path = ROOT) -> dict[str, list[str]]:
    """File -> hashes of what looks like a secret in it. Nothing is asked over the network, one process."""
    found: dict[str, list[str]] = {}
    with transient_settings({"plugins_used": PLUGINS, "filters_used": FILTERS}):
        collection = SecretsCollection(root=str(root))
        for file in files:
            if file != BASELINE:
                collection.scan_file(str(file.relative_to(root)))
        for name, secret in collection:
            found.setdefault(name, []).append(secret.secret_hash)
    return {name: sorted(set(hashes)) for name, hashes in sorted(found.items())}


if __name__ == "__main__":
    BASELINE.write_text(json.dumps(scan(tracked()), indent=1) + "\n", "utf-8")
    sys.stdout.write(f"{BASELINE} geschrieben: ansehen, ob jeder Eintrag wirklich keiner ist.\n")
