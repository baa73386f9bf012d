"""What an instance is on this machine: its ports, secrets, addresses, and the environment of its processes."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deployments.marker import MARKER
from kit.database import owner_url, shared_secret
from kit.errors import ConflictError
from kit.process import free_port, is_locked, keep_private, locked, port_is_free
from kit.settings import home, settings

ROOT = Path(__file__).resolve().parents[1]
"""Where `prefect.yaml` and the packages lie; flow processes work from here."""

POOL = "drehkreuz"
WORKER_LIMIT = 2

BATCHING = {
    # the server writes task runs and events in batches: 6.6 instead of 21 ms of its CPU per task
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
}
RETENTION = {
    # Prefect's history is no business fact: runs with their logs and artifacts go after 90 days, events after a week
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "7776000",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "3600",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
}
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_CLI_COLORS": "false",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


@dataclass(frozen=True)
class Instance:
    """The services of one home, running or not."""

    home: Path
    prefect_port: int
    portal_port: int
    sink_port: int
    health_port: int = 0

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.home / "run" / "supervisor.lock"

    @property
    def state_file(self) -> Path:
        return self.home / "run" / "services.json"

    @property
    def mail_folder(self) -> Path:
        return self.home / "mail"

    @property
    def temporary(self) -> Path:
        """A folder for temporary files of our own: Prefect's default under /tmp belongs to whoever came first.

        It lies beside other temporary files, since a socket's path may have 107 bytes and a home may be deep.
        """
        name = hashlib.sha256(str(self.home).encode()).hexdigest()[:10]
        return Path(tempfile.gettempdir()) / f"drehkreuz-{os.geteuid()}-{name}"

    def empty_temporary(self) -> None:
        """Make that folder, without what an earlier start left in it. Raises: ConflictError when it is a stranger's."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        try:
            self.temporary.mkdir(mode=0o700, parents=True)
        except OSError as fault:
            raise ConflictError(
                f"Dienste: {self.temporary} lässt sich nicht anlegen ({fault.strerror}). Löschen Sie es."
            ) from fault

    @property
    def prefect_url(self) -> str:
        return settings().prefect_url.rstrip("/") or f"http://127.0.0.1:{self.prefect_port}"

    @property
    def prefect_ui_url(self) -> str:
        """The server as a person's browser reaches it: inside a network of containers it has a name that only they know."""
        return settings().prefect_ui_url.rstrip("/") or self.prefect_url

    @property
    def portal_url(self) -> str:
        return f"http://127.0.0.1:{self.portal_port}"

    @property
    def health_url(self) -> str:
        """Where relay and keeper say that they live, with the metrics of the house."""
        return f"http://127.0.0.1:{self.health_port}"

    @property
    def portal_reached_url(self) -> str:
        """The portal as other parts reach it; empty when there are several machines and nobody has said."""
        chosen = settings().portal_internal_url or (settings().portal_url if self.shared else self.portal_url)
        return chosen.rstrip("/")

    @property
    def notice_url(self) -> str:
        """Where Prefect's automations tell of runs: the portal, as the server reaches it; empty when nobody has said."""
        return f"{self.portal_reached_url}/api/run-notices" if self.portal_reached_url else ""

    @property
    def credential(self) -> str:
        """User and password of the Prefect server: set, or the same on every machine that knows the database's password."""
        return settings().prefect_auth.get_secret_value() or f"drehkreuz:{shared_secret('prefect')}"

    @property
    def shared(self) -> bool:
        """Whether the services are spread over several machines: Prefect's server is not this home's own."""
        return bool(settings().prefect_url)

    def running(self) -> bool:
        """Whether a supervisor of this home lives."""
        return is_locked(self.lock)

    def state(self) -> dict[str, object]:
        """What the supervisor last wrote down; empty when none runs."""
        if not self.running():
            return {}
        try:
            stored = json.loads(self.state_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return stored if isinstance(stored, dict) else {}

    def uses_sink(self) -> bool:
        """Without a mail server all post goes to the recording sink of the home."""
        return not settings().smtp_host

    def sink_settings(self) -> dict[str, str]:
        """Settings that send outgoing mail to the sink; nothing when a mail server is set."""
        if not self.uses_sink():
            return {}
        prefix = "DREHKREUZ_SMTP_"
        return {f"{prefix}HOST": "127.0.0.1", f"{prefix}PORT": str(self.sink_port), f"{prefix}TLS": "none", f"{prefix}USER": ""}

    def prefect_client(self) -> dict[str, str]:
        """What a process needs to be a client of this home's Prefect server."""
        return {
            "PREFECT_API_URL": f"{self.prefect_url}/api",
            "PREFECT_API_AUTH_STRING": self.credential,
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,tasks,actions,integrations,kit,deployments",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            **QUIET,
        }

    def prefect_server(self) -> dict[str, str]:
        """What the server itself needs besides: its own database beside ours, its door locked."""
        from deployments.prefect_database import url

        return {
            "PREFECT_SERVER_API_AUTH_STRING": self.credential,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": url().render_as_string(hide_password=False),
            "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
            **RETENTION,
            "PREFECT_SERVER_UI_API_URL": f"{self.prefect_ui_url}/api",
            # where the program lies may be read-only: containers, ProtectSystem=strict
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(self.home / "prefect" / "ui"),
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": self.prefect_ui_url,  # pages of others may not even ask
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
            **BATCHING,
        }

    def environment(self, marker: str = "") -> dict[str, str]:
        """The environment of every process of this home."""
        base = {**os.environ, "DREHKREUZ_HOME": str(self.home), "PROJECT_ROOT": str(ROOT), "PYTHONUNBUFFERED": "1"}
        base["TMPDIR"] = str(self.temporary)
        base["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{base.get('PATH', '')}"
        base["DREHKREUZ_PORTAL_PORT"] = str(self.portal_port)
        return base | self.prefect_client() | self.sink_settings() | ({MARKER: marker} if marker else {})


def instance() -> Instance:
    """The instance of the present home. Its ports are chosen free once and remembered, unless they are set."""
    folder = home()
    keep_private(folder)
    file = folder / "ports.json"
    with locked(folder / "run" / "ports.lock"):
        try:
            known: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            known = {}
        running = is_locked(folder / "run" / "supervisor.lock")
        wanted = {"prefect": settings().prefect_port, "portal": settings().portal_port, "sink": 0, "health": 0}
        ports = {name: number or _port(known.get(name, 0), running=running) for name, number in wanted.items()}
        if ports != known:
            new = file.with_suffix(".new")
            new.write_text(json.dumps(ports, indent=1), encoding="utf-8")
            new.replace(file)
    return Instance(folder, ports["prefect"], ports["portal"], ports["sink"], ports["health"])


def _port(known: int, *, running: bool) -> int:
    """The remembered port; another one when a stranger took it meanwhile."""
    return known if known and (running or port_is_free(known)) else free_port()


def database_name() -> str:
    """The name of our database; Prefect's stands beside it under `<name>_prefect`."""
    return str(owner_url().database)
