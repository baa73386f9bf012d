"""Health of the portal for the supervisor and for load balancers: 200 when it and its database answer."""

import logging
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from kit.database import Role, unit_of_work
from kit.errors import DrehkreuzError
from portal.security.person import public

router = APIRouter()
log = logging.getLogger("portal")


def database_answers() -> bool:
    """Whether the portal's own role gets an answer."""
    try:
        with unit_of_work("health", Role.PORTAL_STAFF) as session:
            return bool(session.scalar(sa.select(1)))
    except (SQLAlchemyError, DrehkreuzError):
        log.exception("Die Datenbank antwortet nicht")
        return False


@router.api_route("/gesund", methods=["GET", "HEAD"])
@public
def health(answers: Annotated[bool, Depends(database_answers)]) -> JSONResponse:
    """`{"status": "ok", "database": "ok"}`, or 503 with what does not answer."""
    state = "ok" if answers else "down"
    return JSONResponse({"status": state, "database": state}, 200 if answers else 503)
