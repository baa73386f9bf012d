"""Aufgaben: where a process could not go on alone and asks the people of a role."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from actions.task_tickets import close_task as close
from kit.errors import NotFoundError
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import desk
from portal.security.person import Person, StaffSession, need

router = APIRouter(prefix="/aufgaben")
NAV = (
    NavEntry(
        Section.SERVICE_DESK, "Aufgaben", "/aufgaben", "list-check", ("aufgabe.sehen",), order=20, shortcut="t", bottom=True
    ),
)
See = Annotated[Person, Depends(need("aufgabe.sehen"))]
LIST = Crumb("Aufgaben", "/aufgaben")


@router.get("")
def list_tasks(request: Request, person: See, session: StaffSession, seite: int = 1, erledigt: str = "") -> Response:
    """Open tasks of one's roles, or the closed ones."""
    return page(
        request,
        "tasks.html",
        crumbs=(LIST,),
        closed=bool(erledigt),
        tasks=desk.tasks(session, person.roles, number=seite, closed=bool(erledigt)),
        query={"erledigt": erledigt},
    )


@router.get("/{number}")
def show_task(request: Request, person: See, session: StaffSession, number: str) -> Response:
    """What is asked, and why."""
    found = desk.task(session, person.roles, number)
    if found is None:
        raise NotFoundError(f"Aufgabe {number}: gibt es nicht, oder sie gehört nicht zu Ihren Rollen.")
    ticket, customer, notes = found
    return page(
        request,
        "task.html",
        crumbs=(LIST, Crumb(number)),
        ticket=ticket,
        customer=customer,
        notes=notes,
        open=ticket.state in desk.OPEN_STATES,
    )


@router.post("/{number}/erledigt")
def close_task(request: Request, person: See, session: StaffSession, number: str) -> Response:
    """A person says that it is done."""
    found = desk.task(session, person.roles, number)
    if found is None:
        raise NotFoundError(f"Aufgabe {number}: gibt es nicht, oder sie gehört nicht zu Ihren Rollen.")
    close(session, found[0], person.actor)
    return go(request, "/aufgaben", f"Aufgabe {number} ist erledigt.")
