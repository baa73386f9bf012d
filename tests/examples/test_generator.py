"""The generator writes the committed files again, byte by byte."""

import subprocess
import sys
from pathlib import Path

from tests.examples.company import FOLDER


def test_generator_writes_the_committed_files(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "examples.make_company", str(tmp_path)],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for folder in ("company", "despatch", "mails"):
        written = {p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()}
        committed = {p.name: p.read_bytes() for p in (FOLDER / folder).iterdir()}
        assert written.keys() == committed.keys()
        changed = [name for name in written if written[name] != committed[name]]
        assert not changed, f"Run `python -m examples.make_company` and commit: {changed}"
