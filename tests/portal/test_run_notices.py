"""What Prefect's automations tell of runs: only with the secret of the house, noted once, shown to the operator, settled."""

import datetime as dt

import pytest
import sqlalchemy as sa

from actions import run_notices
from kit.database import unit_of_work
from models.plumbing import RunNotice
from tests.portal.conftest import Portal

RUN = "prefect.flow-run.0f0e0d0c-0b0a-4908-8706-050403020100"
AT = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)


def telling(**other: object) -> dict[str, object]:
    body = {
        "trouble": "failed",
        "run": RUN,
        "flow": "Postausgang",
        "name": "Postausgang <b>7 Uhr</b>",
        "message": "Verbindung weg",
    }
    return {**body, "occurred": AT.isoformat(), **other}


def tell(portal: Portal, secret: str | None = None, **other: object) -> int:
    header = f"Bearer {run_notices.secret() if secret is None else secret}"
    return portal.browser().post("/api/run-notices", json=telling(**other), headers={"authorization": header}).status_code


def notes() -> list[RunNotice]:
    with unit_of_work("test") as session:
        return list(session.scalars(sa.select(RunNotice)))


def test_a_run_is_noted_once_and_opens_again_only_for_something_new(portal: Portal) -> None:
    assert [tell(portal), tell(portal)] == [201, 200]
    operator = portal.browser("operator")
    page = operator.get("/verwaltung/laeufe").text
    assert "Postausgang &lt;b&gt;7 Uhr&lt;/b&gt;" in page
    assert "gescheitert" in page
    assert "Auffällige Läufe" in operator.get("/uebersicht").text
    assert operator.post(f"/verwaltung/laeufe/{notes()[0].id}/erledigt").status_code == 303
    assert "Kein Lauf ist auffällig" in operator.get("/verwaltung/laeufe").text
    assert "operator@probehaus.example" in operator.get("/verwaltung/laeufe?erledigt=ja").text
    assert tell(portal) == 200, "told late, of what is settled"
    assert "Kein Lauf ist auffällig" in operator.get("/verwaltung/laeufe").text
    assert tell(portal, occurred=(AT + dt.timedelta(hours=1)).isoformat(), message="wieder") == 201
    assert [note.message for note in notes()] == ["wieder"]
    assert "wieder" in operator.get("/verwaltung/laeufe").text
    assert operator.post("/verwaltung/laeufe/999999/erledigt").status_code == 404


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"secret": ""}, 401),
        ({"secret": "falsch"}, 401),
        ({"run": "../../etc"}, 422),
        ({"trouble": "happy"}, 422),
        ({"occurred": "gestern"}, 422),
        ({"occurred": "2026-11-02T06:00:00"}, 422),
    ],
)
def test_strangers_and_nonsense_leave_nothing(portal: Portal, other: dict[str, str], status: int) -> None:
    assert tell(portal, **other) == status
    assert notes() == []


def test_the_door_takes_no_body_that_is_none(portal: Portal) -> None:
    answer = portal.browser().post(
        "/api/run-notices", content=b"\xff{", headers={"authorization": f"Bearer {run_notices.secret()}"}
    )
    assert answer.status_code == 422
    assert notes() == []
