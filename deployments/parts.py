"""One part of the services for itself: what a container, a pod or a unit of systemd runs when a house has several machines.

On one machine the supervisor starts the same parts (`drehkreuz up`). Here each replaces this process, so that signals, memory
and restarts are the business of whoever started it. All of them share one database, one Prefect server and one archive.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from deployments import automations, children, deploy, prefect_database
from deployments.instance import POOL, ROOT, Instance
from deployments.prefect_api import PrefectApi
from kit.database import owner_url
from kit.errors import DrehkreuzError, UsageError
from kit.settings import settings
from models import schema

PORTAL_PORT, PREFECT_PORT, HEALTH_PORT = 8080, 4200, 8090


@dataclass(frozen=True)
class Wish:
    """How a part shall run.

    Args:
        host: the address on which it listens.
        port: 0 = the part's usual one.
        queue: only of workers: the queue they take runs from; empty = all.
        limit: only of workers: runs at once; 0 = the usual number.
    """

    host: str = "127.0.0.1"
    port: int = 0
    queue: str = ""
    limit: int = 0


Built = tuple[list[str], dict[str, str]]
"""Command without the interpreter, and what it needs besides the common environment."""


class NotSharedError(DrehkreuzError):
    """The settings are those of a single machine."""


def redis_environment(address: str) -> dict[str, str]:
    """What lets several processes of Prefect's server share messages, leases and timers."""
    return {
        "PREFECT_SERVER_EVENTS_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_REDIS_MESSAGING_URL": address,
        "PREFECT_SERVER_DOCKET_URL": address,
    }


def server_environment(target: Instance) -> dict[str, str]:
    """What Prefect's interface and its services need."""
    redis = settings().redis_url.get_secret_value()
    return target.prefect_server() | (redis_environment(redis) if redis else {})


def missing(part: str) -> list[str]:
    """What the settings lack for that part on several machines, in German; empty when nothing does."""
    chosen, faults = settings(), []
    if not chosen.database_url:
        faults.append("DREHKREUZ_DATABASE_URL: alle Maschinen brauchen dieselbe Datenbank.")
    elif not owner_url().password:
        faults.append(
            "DREHKREUZ_DATABASE_URL: das Kennwort fehlt; daraus leitet jede Maschine dieselben Kennwörter der Rollen ab."
        )
    if part in ("migrate", "prefect", "prefect-services"):
        if part == "prefect-services" and not chosen.redis_url.get_secret_value():
            faults.append("DREHKREUZ_REDIS_URL: getrennte Dienste des Prefect-Servers brauchen Redis.")
        return faults
    if not chosen.prefect_url:
        faults.append("DREHKREUZ_PREFECT_URL: die Adresse des gemeinsamen Prefect-Servers fehlt.")
    if part == "deploy":
        return faults
    if chosen.archive != "s3":
        faults.append("DREHKREUZ_ARCHIVE: ein Ordner im Heim ist nur auf dieser Maschine zu sehen; nötig ist s3.")
    if not chosen.smtp_host:
        faults.append("DREHKREUZ_SMTP_HOST: ohne Mailserver ginge die Post in eine Senke dieser Maschine.")
    if not chosen.vault_keys.get_secret_value():
        faults.append("DREHKREUZ_VAULT_KEYS: ohne gemeinsamen Schlüsselbund hätte jede Maschine einen eigenen Tresor.")
    if part in ("worker", "doorbell") and not chosen.exchange_folder:
        faults.append("DREHKREUZ_EXCHANGE_FOLDER: Übergabe an SAP und Wareneingang brauchen einen gemeinsamen Ordner.")
    return faults


def check(part: str) -> None:
    """Raises: NotSharedError with everything that is missing."""
    if faults := missing(part):
        raise NotSharedError("Mehrere Maschinen: " + " ".join(faults))


def _portal(_target: Instance, wish: Wish) -> Built:
    command = ["uvicorn", "portal.app:app", "--host", wish.host, "--port", str(wish.port or PORTAL_PORT)]
    proxies = ["--forwarded-allow-ips", settings().portal_proxies]
    return [*command, "--log-level", "warning", "--no-server-header", *proxies], {}


def _prefect(target: Instance, wish: Wish) -> Built:
    command = ["prefect", "server", "start", "--host", wish.host, "--port", str(wish.port or PREFECT_PORT)]
    apart = bool(settings().redis_url.get_secret_value())
    return [*command, *(["--no-services"] if apart else [])], server_environment(target)


def _prefect_services(target: Instance, _wish: Wish) -> Built:
    return ["prefect", "server", "services", "start"], server_environment(target)


def _worker(target: Instance, wish: Wish) -> Built:
    made = children.worker(target)
    command = made.command[2:]  # without the interpreter and its -m
    command[command.index("--limit") + 1] = str(wish.limit or command[command.index("--limit") + 1])
    listen = {"PREFECT_WORKER_WEBSERVER_HOST": wish.host, "PREFECT_WORKER_WEBSERVER_PORT": str(wish.port or HEALTH_PORT)}
    return [*command, *(["--work-queue", wish.queue] if wish.queue else []), "--with-healthcheck"], listen


def _own(module: str) -> Callable[[Instance, Wish], Built]:
    def build(_target: Instance, wish: Wish) -> Built:
        return [module], {"DREHKREUZ_HEALTH_LISTEN": f"{wish.host}:{wish.port or HEALTH_PORT}"}

    return build


PARTS: dict[str, Callable[[Instance, Wish], Built]] = {
    "portal": _portal,
    "doorbell": _own("deployments.doorbell"),
    "background": _own("deployments.background"),
    "worker": _worker,
    "prefect": _prefect,
    "prefect-services": _prefect_services,
}
ONCE = ("migrate", "deploy")
"""Parts that do their work and end."""


def build(part: str, target: Instance, wish: Wish) -> Built:
    """The command of a long-lived part and its whole environment."""
    command, more = PARTS[part](target, wish)
    return [sys.executable, "-m", *command], target.environment() | more


def serve(part: str, target: Instance, wish: Wish) -> None:
    """Become that part; the one-off parts return when they are done. Raises: UsageError, NotSharedError."""
    if part not in PARTS and part not in ONCE:
        raise UsageError(f"Teil »{part}«: gibt es nicht. Vorhanden: {', '.join([*ONCE, *PARTS])}.")
    check(part)
    if part == "migrate":
        migrate(target)
    elif part == "deploy":
        deploy_all(target)
    else:
        target.empty_temporary()
        command, environment = build(part, target, wish)
        os.chdir(ROOT)
        os.execve(command[0], command, environment)  # noqa: S606 - our own command


def migrate(target: Instance) -> None:
    """Bring both databases to the present schema, before any server or worker of this version starts."""
    schema.upgrade()
    prefect_database.ensure()
    done = subprocess.run(
        [sys.executable, "-m", "deployments.prefect_database"],
        cwd=ROOT, env=target.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise DrehkreuzError(f"Prefect-Datenbank: Die Einrichtung scheiterte. {done.stderr.strip()[-600:]}")


def deploy_all(target: Instance) -> None:
    """Work pool and deployments, at the shared server."""
    with PrefectApi(target) as api:
        api.ensure_pool(POOL)
    target.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    deploy.deploy(target)
    with PrefectApi(target) as api:
        automations.ensure(api, target)
