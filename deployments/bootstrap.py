"""The first half of `./drehkreuz`: makes sure that `.venv` is what the lock says, then becomes the command.

Runs on the machine's own Python with nothing but its standard library. When nothing has changed since the last start it only
compares one hash. Needs uv, or pip >= 22.3; neither `ensurepip` nor `python3-venv`, which Debian leaves out.
"""

import ctypes.util
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".drehkreuz.json"
LOCK, DEV_LOCK = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"

PDF_PACKAGES = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]
TEST_TOOLS = {"chromium": "chromium", "java": "default-jdk-headless", "pdftotext": "poppler-utils"}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def stop(text: str) -> None:
    say(text)
    raise SystemExit(1)


def fingerprint(lock: Path) -> str:
    """Hash of what a complete environment depends on: the lock, the Python, the place."""
    told = f"{sys.version_info[:3]} {sys.platform} {ROOT}".encode()
    return hashlib.sha256(told + lock.read_bytes()).hexdigest()


def stamped() -> dict[str, str]:
    try:
        known = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def is_complete(*, tests: bool) -> bool:
    """Whether `.venv` holds what the lock says; the development lock is the other one and more."""
    known = stamped()
    good = PYTHON.exists() and known.get("run") == fingerprint(LOCK)
    return good and (not tests or known.get("test") == fingerprint(DEV_LOCK))


# --- the environment -----------------------------------------------------------------------------------------------------


def build(*, tests: bool) -> None:
    """Bring `.venv` to the lock; two starts at once take turns."""
    VENV.mkdir(exist_ok=True)
    with (VENV / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if is_complete(tests=tests):
            return
        lock = DEV_LOCK if tests else LOCK
        count = sum(line[:1].isalnum() for line in lock.read_text(encoding="utf-8").splitlines())
        say(f"Drehkreuz richtet .venv ein ({count} Pakete, einmalig) …")
        STAMP.unlink(missing_ok=True)
        _make_venv()
        _install(lock, count)
        _link()
        _stamp(tests=tests)
        say("Drehkreuz: .venv ist bereit.")


def _make_venv() -> None:
    """An empty environment of this Python; one that already is of this Python is kept."""
    if PYTHON.exists() and _answer([str(PYTHON), "-c", "import sys; print(sys.version.split()[0])"]) == sys.version.split()[0]:
        return
    for old in VENV.iterdir():
        if old.name == ".lock":
            continue
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    if shutil.which("uv"):
        _run(["uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)])
    else:
        _run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])


def _answer(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        stop(f"Drehkreuz: »{' '.join(command)}« ist gescheitert.")


def _install(lock: Path, count: int) -> None:
    if shutil.which("uv"):
        # uv leaves compiling to each start, pip does it at once
        options = ["--compile-bytecode", "--no-deps", "--require-hashes"]
        _run(["uv", "pip", "install", "--python", str(PYTHON), *options, "-r", str(lock)])
        return
    command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--disable-pip-version-check", "--no-input"]
    command += ["--root-user-action=ignore", "--progress-bar=off", "--no-deps", "--require-hashes", "-r", str(lock)]
    _need_pip()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        tail = _show_progress(pip, count)
    if pip.returncode:
        stop(
            "\n".join(
                [
                    *tail,
                    "Drehkreuz: pip konnte die Pakete nicht installieren. Prüfen Sie die Verbindung und starten Sie erneut.",
                ]
            )
        )


def _show_progress(pip: "subprocess.Popen[str]", count: int) -> list[str]:
    """A line that counts on a terminal, some lines elsewhere; the last words of pip for the case that it fails."""
    seen = 0
    tail: list[str] = []
    for line in pip.stdout or ():
        tail = [*tail[-9:], line.rstrip()]
        found = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line)
        if found:
            seen += 1
            if sys.stderr.isatty():
                print(f"\r  [{seen}/{count}] {found[1]:<40}", end="", file=sys.stderr, flush=True)
            elif seen % 25 == 0:
                say(f"  {seen} von {count} Paketen")
        elif line.startswith("Installing collected"):
            say(f"{chr(13) if sys.stderr.isatty() else ''}  {count} Pakete werden ausgepackt …{'':<30}")
    return tail


def _need_pip() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"pip (\d+)\.(\d+)", done.stdout)
    if found and (int(found[1]), int(found[2])) >= (22, 3):
        return
    apt_install(["python3-pip"], "pip ab 22.3")
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        stop("Drehkreuz braucht pip ab 22.3 (oder uv):  sudo apt-get install -y python3-pip")


def _link() -> None:
    """Let the packages of this folder be imported from anywhere."""
    for folder in VENV.glob("lib/python3*/site-packages"):
        (folder / "drehkreuz.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def _stamp(*, tests: bool) -> None:
    content = {"run": fingerprint(LOCK)}
    if tests:
        content["test"] = fingerprint(DEV_LOCK)
    STAMP.write_text(json.dumps(content, indent=1), encoding="utf-8")


# --- the distribution ----------------------------------------------------------------------------------------------------


def apt_install(packages: list[str], purpose: str) -> bool:
    """Install when we may, else say the line. True when it was done."""
    line = f"apt-get install -y {' '.join(packages)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"Für {purpose} fehlt:  sudo {line}")
        return False
    say(f"Für {purpose} wird installiert: {' '.join(packages)} …")
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    options = {
        "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.PIPE,
    }
    if subprocess.run(command, check=False, **options).returncode == 0:  # type: ignore[call-overload]
        return True
    subprocess.run(["apt-get", "update", "-qq"], check=False, **options)  # type: ignore[call-overload]
    if subprocess.run(command, check=False, **options).returncode == 0:  # type: ignore[call-overload]
        return True
    say(f"Das ging nicht. Bitte selbst versuchen:  sudo apt-get update && sudo {line}")
    return False


def system_packages(*, tests: bool) -> None:
    """What pip cannot bring. Looked at when the environment was built, and at each test."""
    if sys.platform != "linux":
        return
    if not all(ctypes.util.find_library(name) for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")):
        apt_install(PDF_PACKAGES, "PDF")
    if tests:
        missing = [package for tool, package in TEST_TOOLS.items() if not shutil.which(tool)]
        if missing:
            apt_install(missing, "alle Tests")


def _audits(arguments: list[str]) -> bool:
    """The audit of our packages is a tool of the development lock."""
    return "audit" in arguments[:1]


def main() -> None:
    arguments = sys.argv[1:]
    tests = "test" in arguments[:1]
    complete = is_complete(tests=tests or _audits(arguments))
    if not complete:
        build(tests=tests or _audits(arguments))
    if tests or not complete:
        system_packages(tests=tests)
    # -P: a folder `models` or `kit` where the person stands must not take the place of ours
    os.execv(str(PYTHON), [str(PYTHON), "-P", "-m", "deployments.cli", *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
