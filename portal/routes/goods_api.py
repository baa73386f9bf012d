"""The warehouse's machine: `POST /api/goods-receipts` with a scoped token and an idempotency key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from actions import api_tokens
from actions.goods import inbox, views
from kit.database import Role, unit_of_work
from kit.errors import ConflictError, DrehkreuzError
from models.plumbing import InboxItem
from portal.security.person import public

router = APIRouter(prefix="/api")


@dataclass(frozen=True, slots=True)
class Caller:
    """A machine with its transaction."""

    token_id: int
    session: Session


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody without a token for the warehouse; `known` when the token is one for something else."""

    known: bool


async def _body(request: Request) -> bytes:
    return await request.body()


def _caller(authorization: Annotated[str, Header()] = "") -> Iterator[Caller | Stranger]:
    kind, _, token = authorization.partition(" ")
    with unit_of_work("token:unbekannt", Role.PORTAL_STAFF) as session:
        told = token.strip() if kind.lower() == "bearer" else ""
        row = api_tokens.holder(session, told, api_tokens.WAREHOUSE)
        if row is None:
            yield Stranger(api_tokens.is_known(session, told))
        else:
            api_tokens.act_as(session, row)
            yield Caller(row.id, session)


MayCall = Annotated[Caller | Stranger, Depends(_caller, scope="function")]


def _refusal(status: int, text: str) -> JSONResponse:
    headers = {"www-authenticate": 'Bearer realm="Drehkreuz"'} if status == 401 else {}
    return JSONResponse({"error": text}, status, headers=headers)


def _stranger(caller: Stranger) -> JSONResponse:
    if caller.known:
        return _refusal(
            403, "Dieses Token gilt nicht für den Wareneingang. Ein passendes gibt »drehkreuz goods token NAME« aus."
        )
    return _refusal(401, "Token fehlt oder ist gesperrt.")


@router.post("/goods-receipts")
@public
def book(
    caller: MayCall,
    raw: Annotated[bytes, Depends(_body)],
    *,
    content_type: Annotated[str, Header()] = "application/octet-stream",
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
    supplier: str = "",
) -> JSONResponse:
    """A receipt as JSON, or a despatch advice in any format that is read. 202 taken, 200 known already.

    What cannot be read is taken all the same, since it has to be kept; the answer says so at once (`problem`).
    """
    if isinstance(caller, Stranger):
        return _stranger(caller)
    media = content_type.partition(";")[0].strip() or "application/octet-stream"
    try:
        received = inbox.receive_request(
            caller.session, caller.token_id, idempotency_key.strip(), raw, content_type=media, supplier_code=supplier
        )
    except inbox.TooLargeError as fault:
        return _refusal(413, str(fault))
    except ConflictError as fault:
        return _refusal(409, str(fault))
    except DrehkreuzError as fault:
        return _refusal(422, str(fault))
    told: dict[str, object] = {"id": received.item_id, "receipt": received.key, "new": received.new}
    if received.fault:
        told["problem"] = received.fault
    return JSONResponse(told, 202 if received.new else 200, headers={"location": f"/api/goods-receipts/{received.item_id}"})


@router.get("/goods-receipts/{item_id}")
@public
def state(caller: MayCall, item_id: int) -> JSONResponse:
    """What became of it: waiting, parked with its reason, or done with lines, tickets and differences."""
    if isinstance(caller, Stranger):
        return _stranger(caller)
    item = caller.session.get(InboxItem, item_id)
    if item is None or item.channel != inbox.CHANNEL:
        return _refusal(404, f"Meldung {item_id}: gibt es nicht.")
    told: dict[str, object] = {"id": item.id, "receipt": item.key, "state": item.state.value, "reason": item.reason}
    booked = views.receipts_of_item(caller.session, item)
    told["booked"] = booked[0] if booked else None
    if len(booked) > 1:
        told["further"] = booked[1:]
    return JSONResponse(told)
