"""A small client of Prefect's HTTP interface: what relay, keeper, supervisor and command line ask. No Prefect import."""

import datetime as dt
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import httpx

from deployments.instance import Instance
from kit.errors import DrehkreuzError

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class PrefectError(DrehkreuzError):
    """The Prefect server refuses or does not answer."""


class PrefectApi:
    """One connection to the server of an instance.

    Args:
        target: whose server.
        timeout: seconds per request.
    """

    def __init__(self, target: Instance, timeout: float = 10.0) -> None:
        user, _, password = target.credential.partition(":")
        self._client = httpx.Client(base_url=f"{target.prefect_url}/api", auth=(user, password), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as fault:
            raise PrefectError(f"Prefect-Server: {self._client.base_url} antwortet nicht ({fault}).") from fault
        if answer.is_error:
            raise PrefectError(f"Prefect-Server: {method} {path} ergab {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def healthy(self) -> bool:
        """Whether the server answers and its database too."""
        try:
            return bool(self._client.get("/ready").is_success)
        except httpx.HTTPError:
            return False

    def deployments(self, names: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Deployments, all or those of these names."""
        chosen = {} if names is None else {"deployments": {"name": {"any_": list(names)}}}
        found: list[dict[str, Any]] = self._ask("POST", "/deployments/filter", {**chosen, "limit": 200})
        return found

    def deployment(self, name: str) -> dict[str, Any]:
        """The deployment of that name (`monthly_billing`). Raises: PrefectError when it does not exist."""
        found = self.deployments([name])
        if not found:
            raise PrefectError(
                f"Prefect-Server: Das Deployment »{name}« gibt es nicht. Prüfen Sie prefect.yaml und starten Sie neu."
            )
        return found[0]

    def create_run(
        self,
        deployment: str,
        parameters: dict[str, Any],
        *,
        key: str = "",
        tags: Iterable[str] = (),
        environment: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Start a run. The same key gives the same run, however often it is asked for.

        The deployment's own tags stay on the run; `environment` reaches its process.
        """
        target = self.deployment(deployment)
        body: dict[str, Any] = {
            "parameters": {**target["parameters"], **parameters},
            "state": {"type": "SCHEDULED"},
            "tags": sorted({*target["tags"], *tags}),
        }
        if key:
            body["idempotency_key"] = key
        if environment:
            body["job_variables"] = {"env": environment}
        run: dict[str, Any] = self._ask("POST", f"/deployments/{target['id']}/create_flow_run", body)
        return run

    def run(self, run_id: str) -> dict[str, Any]:
        """One run as it is now."""
        found: dict[str, Any] = self._ask("GET", f"/flow_runs/{run_id}")
        return found

    def runs(self, *, limit: int = 200, **filters: Any) -> list[dict[str, Any]]:
        """Runs by Prefect's own filters: `flow_runs={...}`, `deployments={...}`."""
        found: list[dict[str, Any]] = self._ask("POST", "/flow_runs/filter", {**filters, "limit": limit})
        return found

    def flow_names(self, ids: Iterable[str]) -> dict[str, str]:
        """German names of flows by their ids."""
        wanted = sorted(set(ids))
        found = self._ask("POST", "/flows/filter", {"flows": {"id": {"any_": wanted}}, "limit": 200}) if wanted else []
        return {str(flow["id"]): str(flow["name"]) for flow in found}

    def tagged(self, tag: str, *states: str, state_name: str = "") -> list[dict[str, Any]]:
        """Runs that carry the tag and are in one of the states, or in the state of that name."""
        wanted = {"name": {"any_": [state_name]}} if state_name else {"type": {"any_": list(states)}}
        return self.runs(flow_runs={"tags": {"all_": [tag]}, "state": wanted})

    def history(self, run_id: str) -> list[dict[str, Any]]:
        """All states that the run has had."""
        found: list[dict[str, Any]] = self._ask("GET", f"/flow_run_states/?flow_run_id={run_id}")
        return found

    def set_state(self, run_id: str, state: dict[str, Any], *, force: bool = False) -> str:
        """Propose a state; answers ACCEPT, REJECT, WAIT or ABORT."""
        answer = self._ask("POST", f"/flow_runs/{run_id}/set_state", {"state": state, "force": force})
        return str(answer["status"])

    def add_tag(self, run: dict[str, Any], tag: str) -> None:
        """Mark a run."""
        self._ask("PATCH", f"/flow_runs/{run['id']}", {"tags": sorted({*run["tags"], tag})})

    def logs(self, run_id: str, offset: int = 0) -> list[dict[str, Any]]:
        """Log lines of a run in order, from the given one on."""
        chosen = {"logs": {"flow_run_id": {"any_": [run_id]}}, "sort": "TIMESTAMP_ASC", "offset": offset, "limit": 200}
        found: list[dict[str, Any]] = self._ask("POST", "/logs/filter", chosen)
        return found

    def progress(self, run_id: str) -> list[dict[str, Any]]:
        """The progress artifacts of a run."""
        chosen = {"artifacts": {"flow_run_id": {"any_": [run_id]}, "type": {"any_": ["progress"]}}, "limit": 50}
        found: list[dict[str, Any]] = self._ask("POST", "/artifacts/filter", chosen)
        return found

    def last_heartbeat(self, run_id: str, since: dt.datetime, until: dt.datetime) -> dt.datetime | None:
        """When the run's process last said that it lives."""
        chosen = {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run_id}"]},
            "occurred": {"since": since.isoformat(), "until": until.isoformat()},
        }
        events = self._ask("POST", "/events/filter", {"limit": 1, "filter": chosen})["events"]
        return dt.datetime.fromisoformat(events[0]["occurred"]) if events else None

    def automations(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Automations of these names."""
        chosen = {"automations": {"name": {"any_": list(names)}}}
        found: list[dict[str, Any]] = self._ask("POST", "/automations/filter", chosen)
        return found

    def write_automation(self, content: dict[str, Any], known_id: str = "") -> None:
        """Make an automation, or put another content into the one of that id."""
        if known_id:
            self._ask("PUT", f"/automations/{known_id}", content)
        else:
            self._ask("POST", "/automations/", content)

    def remove_automation(self, known_id: str) -> None:
        """Remove it for good."""
        self._ask("DELETE", f"/automations/{known_id}")

    def webhook(self, name: str) -> dict[str, Any] | None:
        """The webhook block of that name with its secrets, or None."""
        chosen = {
            "block_types": {"slug": {"any_": ["webhook"]}},
            "block_documents": {"name": {"any_": [name]}, "is_anonymous": {"eq_": False}},
            "include_secrets": True,
        }
        found: list[dict[str, Any]] = self._ask("POST", "/block_documents/filter", chosen)
        return found[0] if found else None

    def write_webhook(self, name: str, data: dict[str, Any], known_id: str = "") -> str:
        """Make a webhook block, or put another content into the one of that id; its id."""
        if known_id:
            self._ask("PATCH", f"/block_documents/{known_id}", {"data": data, "merge_existing_data": False})
            return known_id
        kind = self._ask("GET", "/block_types/slug/webhook")["id"]
        schemas = self._ask("POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind]}}, "limit": 1})
        body = {"name": name, "data": data, "block_schema_id": schemas[0]["id"], "block_type_id": kind}
        return str(self._ask("POST", "/block_documents/", body)["id"])

    def pool_exists(self, name: str) -> bool:
        """Whether the work pool has been made (the worker does it at its first start)."""
        try:
            return bool(self._client.get(f"/work_pools/{name}").is_success)
        except httpx.HTTPError:
            return False

    def ensure_pool(self, name: str) -> None:
        """Make the pool of processes unless it is there."""
        if not self.pool_exists(name):
            self._ask("POST", "/work_pools/", {"name": name, "type": "process"})

    def workers(self, pool: str) -> list[dict[str, Any]]:
        """The workers of a pool with status and last heartbeat; none when the pool does not exist yet."""
        if not self.pool_exists(pool):
            return []
        found: list[dict[str, Any]] = self._ask("POST", f"/work_pools/{pool}/workers/filter", {})
        return found

    def online(self, pool: str) -> set[str]:
        """The names of the workers that the server still hears."""
        return {str(worker["name"]) for worker in self.workers(pool) if worker["status"] == "ONLINE"}
