"""Do the schedules really yield runs? A server with the wrong libraries accepts deployments and never schedules one."""

import datetime as dt

from deployments.prefect_api import PrefectApi

SETTLING = dt.timedelta(seconds=90)
"""The scheduler's period is 60 s; a deployment that has just changed may still be waiting for it."""


def idle_schedules(api: PrefectApi, now: dt.datetime) -> list[str]:
    """Deployments with an active schedule and not a single run ahead."""
    idle = []
    for deployment in api.deployments():
        active = [schedule for schedule in deployment["schedules"] if schedule["active"]]
        settled = now - dt.datetime.fromisoformat(deployment["updated"]) > SETTLING
        if active and settled and not deployment["paused"] and not _has_runs_ahead(api, deployment["id"]):
            idle.append(str(deployment["name"]))
    return sorted(idle)


def _has_runs_ahead(api: PrefectApi, deployment_id: str) -> bool:
    return bool(
        api.runs(
            limit=1,
            deployments={"id": {"any_": [deployment_id]}},
            flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}},
        )
    )
