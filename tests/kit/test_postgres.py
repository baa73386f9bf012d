"""The embedded database: who starts it, who ends it, what it survives."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from kit.errors import DrehkreuzError
from kit.postgres import EmbeddedPostgres, PostgresError, database_for_home
from kit.postgres_layout import OWNER

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="drehkreuz-pg-", ignore_cleanup_errors=True) as folder:
        yield EmbeddedPostgres(folder, durable=False)


def until(holds: Callable[[], object], seconds: float = 75.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def ask(server: EmbeddedPostgres, statement: str = "select 1") -> object:
    with psycopg.connect(server.url(driver="")) as connection:
        row = connection.execute(statement).fetchone()
    return row and row[0]


def user_of(server: EmbeddedPostgres, what: str = "print('held', flush=True); sys.stdin.read()") -> subprocess.Popen[str]:
    """Another process with a lease."""
    code = f"import sys\nfrom kit.postgres import EmbeddedPostgres\nwith EmbeddedPostgres({str(server.folder)!r}, durable=False).lease(): {what}"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=20)


def test_it_runs_while_it_is_used_and_no_longer(server: EmbeddedPostgres) -> None:
    with server.lease():
        assert ask(server, "select current_user") == OWNER
        assert ask(server, "select rolsuper from pg_roles where rolname = current_user") is False
        assert server.ready()
    assert server.postmaster() is None


def test_data_passwords_and_port_stay(server: EmbeddedPostgres) -> None:
    with server.lease():
        with psycopg.connect(server.url(driver="")) as connection:
            connection.execute("create table if not exists kept (word text)")
            connection.execute("insert into kept values ('hier')")
        before = server.address()
    with server.lease():
        assert ask(server, "select word from kept") == "hier"
        assert server.address() == before
    assert server.address_file.stat().st_mode & 0o777 == 0o600


def test_it_listens_on_this_machine_only_and_asks_for_the_password(server: EmbeddedPostgres) -> None:
    with server.lease():
        assert ask(server, "show listen_addresses") == "127.0.0.1"
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url(password="wrong", driver=""))


def test_the_last_one_out_switches_off_the_light(server: EmbeddedPostgres) -> None:
    first = user_of(server)
    second = user_of(server)
    end(first)  # the one that started it
    assert ask(server) == 1
    end(second)
    assert server.postmaster() is None


def test_a_killed_user_leaves_nothing_behind(server: EmbeddedPostgres) -> None:
    user = user_of(server)
    assert server.ready()
    user.kill()
    end(user)
    until(lambda: server.postmaster() is None)


def test_leases_may_be_nested(server: EmbeddedPostgres) -> None:
    with server.lease():
        with server.lease():
            assert ask(server) == 1
        assert ask(server) == 1
    assert server.postmaster() is None


def test_ten_starts_at_once_give_one_server(server: EmbeddedPostgres) -> None:
    code = (
        "import sys\nfrom kit.postgres import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres({str(server.folder)!r}, durable=False)\n"
        "with server.lease(): print(server.postmaster(), flush=True); sys.stdin.read()"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    told = {process.stdout.readline().strip() for process in processes if process.stdout}
    for process in processes:
        end(process)
    assert len(told) == 1
    assert server.postmaster() is None


def test_after_kill_9_of_the_server_the_lease_starts_it_again(server: EmbeddedPostgres) -> None:
    with server.lease() as lease:
        pid = server.postmaster()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not server.ready())
        assert lease.ensure() is True
        assert ask(server) == 1
        assert lease.ensure() is False


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(server: EmbeddedPostgres) -> None:
    with server.lease() as lease:
        pid = server.postmaster()
        assert pid is not None
        lines = (server.data / "postmaster.pid").read_text().splitlines()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not server.ready())
        until(lambda: server._pid_file_lines() == [] or server.postmaster() is None)
        (server.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]))  # the number was reused
        assert server.postmaster() is None
        assert lease.ensure()
        assert ask(server) == 1


def test_a_taken_port_is_given_up(server: EmbeddedPostgres) -> None:
    port = server.address().port
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        with server.lease():
            assert server.address().port != port
            assert ask(server) == 1


def test_a_foreign_database_is_used_as_it_is(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with server.lease():
        monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path))
        monkeypatch.setenv("DREHKREUZ_DATABASE_URL", server.url())
        with database_for_home():
            assert not (tmp_path / "postgres").exists()
        assert server.ready()


def test_a_foreign_database_that_is_away_is_said_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_DATABASE_URL", "postgresql://a:b@127.0.0.1:1/c")
    with pytest.raises(DrehkreuzError, match="nicht erreichbar"), database_for_home():
        pass


def test_a_home_that_never_had_one_says_so(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="noch keine"):
        EmbeddedPostgres(tmp_path).address()
