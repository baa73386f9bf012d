"""Bring prefect.yaml to the server. Skipped while nothing that it depends on has changed."""

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from deployments.instance import ROOT, Instance
from kit.errors import DrehkreuzError


class DeployError(DrehkreuzError):
    """Prefect refuses prefect.yaml or one of its flows."""


PREFECT_FILE = ROOT / "prefect.yaml"


def fingerprint(file: Path = PREFECT_FILE) -> str:
    """Hash of prefect.yaml and of the flows: their signatures and docstrings are the forms of the interface."""
    digest = hashlib.sha256(version("prefect").encode() + str(ROOT).encode())
    for path in [file, *sorted((ROOT / "flows").glob("**/*.py"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _stamp(target: Instance) -> Path:
    return target.home / "prefect" / "deployed"


def is_current(target: Instance, file: Path = PREFECT_FILE) -> bool:
    """Whether the server has these deployments already."""
    try:
        return _stamp(target).read_text(encoding="utf-8") == fingerprint(file)
    except FileNotFoundError:
        return False


def deploy(target: Instance, marker: str = "", file: Path = PREFECT_FILE) -> None:
    """Deploy everything (8 s). Raises: DeployError with Prefect's own words."""
    now = fingerprint(file)
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)],
        cwd=ROOT,
        env=target.environment(marker),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    target.logs.mkdir(parents=True, exist_ok=True)
    (target.logs / "deploy.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        words = ((done.stderr or done.stdout).strip().splitlines() or ["ohne Begründung"])[-1].strip()
        raise DeployError(
            f"prefect.yaml: Prefect nimmt die Deployments nicht an ({words}). Einzelheiten: {target.logs}/deploy.log"
        )
    _stamp(target).parent.mkdir(parents=True, exist_ok=True)
    _stamp(target).write_text(now, encoding="utf-8")


def forget(target: Instance) -> None:
    """Deploy again at the next start."""
    _stamp(target).unlink(missing_ok=True)
