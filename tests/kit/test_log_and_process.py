"""Logging with business keys; locks and processes that are found by their mark."""

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kit import log as logs
from kit.process import end_processes, free_port, is_locked, marked, port_is_free, try_lock


@pytest.fixture
def quiet_root() -> Iterator[None]:
    root = logging.getLogger()
    kept = root.handlers, root.level
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = kept


@pytest.mark.usefixtures("quiet_root")
def test_a_line_carries_the_keys_of_its_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path))
    logs.configure("probe", terminal=False)
    with logs.bound(customer="K1001"), logs.bound(report="SB-1"):
        logging.getLogger("x").warning("Grüße")
    logging.getLogger("x").info("danach")
    lines = [json.loads(line) for line in (tmp_path / "log" / "probe.jsonl").read_text("utf-8").splitlines()]
    assert (lines[0]["message"], lines[0]["customer"], lines[0]["report"]) == ("Grüße", "K1001", "SB-1")
    assert "customer" not in lines[1]


@pytest.mark.usefixtures("quiet_root")
def test_lines_also_go_to_the_log_service(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON with their keys, before anybody could delete the file; a service that is away costs nothing but its lines."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind(("127.0.0.1", 0))
        service.settimeout(10)
        monkeypatch.setenv("DREHKREUZ_LOG_SYSLOG", f"udp://127.0.0.1:{service.getsockname()[1]}")
        logs.configure("portal", terminal=False)
        try:
            raise RuntimeError("innen")
        except RuntimeError:
            with logs.bound(login=7):
                logging.getLogger("portal").exception("Anmeldung abgelehnt")
        said = service.recv(65_535).decode()
    assert said.startswith("<27>drehkreuz-portal: {"), "facility daemon, severity error"
    line = json.loads(said.partition(": ")[2])
    assert (line["message"], line["login"], "trace" in line) == ("Anmeldung abgelehnt", 7, False)
    logging.getLogger("portal").error("Niemand hört zu")
    kept = (home / "log" / "portal.jsonl").read_text(encoding="utf-8")
    assert "Niemand hört zu" in kept
    assert "RuntimeError: innen" in kept
    for handler in logging.getLogger().handlers:
        handler.close()
    monkeypatch.setenv("DREHKREUZ_LOG_SYSLOG", str(home / "kein-socket"))
    logs.configure("portal", terminal=False)
    assert "DREHKREUZ_LOG_SYSLOG" in capsys.readouterr().err


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = f"from kit.process import *; from pathlib import Path; h = try_lock(Path({str(path)!r})); print(h is not None, flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    assert is_locked(path)
    assert try_lock(path) is None
    holder.kill()
    holder.communicate()
    assert not is_locked(path)


def test_marked_processes_are_found_in_other_sessions_and_ended() -> None:
    environment = {**os.environ, "DREHKREUZ_PROBE_MARK": "m1"}
    grandchild = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}], start_new_session=True)"
    process = subprocess.Popen([sys.executable, "-c", child], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "up"
    found = marked("DREHKREUZ_PROBE_MARK", "m1")
    assert len(found) == 2
    end_processes(lambda: marked("DREHKREUZ_PROBE_MARK", "m1"), patience=0.3)  # the grandchild does not listen
    assert not any(psutil.pid_exists(other.pid) and other.status() != psutil.STATUS_ZOMBIE for other in found)
    process.communicate()


def test_a_free_port_is_free() -> None:
    assert port_is_free(free_port())
