"""No key, no token, no password stands in a tracked file; what only looks like one was seen by a person."""

import json
import shutil
from pathlib import Path

import pytest

from tests.security import secrets_scan


@pytest.mark.skipif(not shutil.which("git") or not (secrets_scan.ROOT / ".git").exists(), reason="no repository here")
def test_no_tracked_file_holds_a_secret() -> None:
    files = secrets_scan.tracked()
    assert len(files) > 400
    reviewed = json.loads(secrets_scan.BASELINE.read_text("utf-8"))
    new = {
        name: unseen
        for name, hashes in secrets_scan.scan(files).items()
        if (unseen := sorted(set(hashes) - set(reviewed.get(name, ()))))
    }
    assert new == {}, "a secret, or write the baseline anew: python -m tests.security.secrets_scan"


def test_a_planted_secret_is_found(tmp_path: Path) -> None:
    planted = {
        "a.py": 'AWS = "AKIA' + "QYLPMN5HHHFPZAM2" + '"\n',
        "b.yaml": "smtp_password: " + "gX7#plo9-Quadrat" + "\n",
        "c.pem": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow\n",
        "d.env": "URL=postgresql://dk:" + "gzU8aPq3" + "@db.example/dk\n",
        "e.py": 'key = "' + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" + '"\n',
    }
    for name, text in planted.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert set(secrets_scan.scan([tmp_path / name for name in planted], tmp_path)) == set(planted)
