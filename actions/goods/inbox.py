"""The warehouse's basket: whatever way a receipt is told, it becomes one row here before anybody understands it."""

import hashlib
import logging
import re
from dataclasses import dataclass, replace
from email.message import Message

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from actions.goods.reading import read
from integrations.despatch.types import DespatchError
from kit import clock
from kit.database import notify
from kit.errors import ConflictError, DrehkreuzError, NotFoundError
from models.goods import GoodsReceipt, GoodsRequest, Supplier
from models.plumbing import InboxItem, InboxState, OutboxEvent

log = logging.getLogger(__name__)

CHANNEL = "goods"
"""Channel of the basket's rows; the way a receipt came does not make it another one."""
BELL = "goods_receipt"
"""The doorbell that rings when something was put into the basket."""
DEPLOYMENT = "goods_receipt"
SIZE_LIMIT = 25 * 1024 * 1024
"""Bytes. A despatch advice with 20,000 serials has about three megabytes."""
NUDGE = "application/vnd.drehkreuz.nudge"
"""Content type of a row that only says: this delivery was booked elsewhere."""

_QUOTED = re.compile(r'[\r\n"\\;]')


class TooLargeError(DrehkreuzError):
    """More bytes than a despatch advice can have."""


@dataclass(frozen=True, slots=True)
class Received:
    """Where a telling lies. `new` is false when the same one lay there already."""

    item_id: int
    key: str
    new: bool
    fault: str = ""
    """Why it cannot be read as it is: it is kept, and the flow parks it with this reason."""


def receive(
    session: Session,
    raw: bytes,
    *,
    content_type: str = "application/octet-stream",
    file_name: str = "",
    supplier_code: str = "",
) -> Received:
    """Put a despatch advice or receipt into the basket, with the row that starts the flow, and ring when this commits.

    The key is supplier and delivery note where the content tells exactly one, else the hash of the content. What cannot be
    read is kept all the same; the flow parks it with its reason.

    Raises:
        TooLargeError: more than `SIZE_LIMIT` bytes.
        DrehkreuzError: nothing in it.
    """
    if len(raw) > SIZE_LIMIT:
        raise TooLargeError(
            f"Wareneingang {file_name or 'ohne Namen'}: {len(raw) // 1_000_000} MB sind zu viel für ein Lieferavis "
            f"(höchstens {SIZE_LIMIT // 1_048_576} MB). Bitte prüfen Sie, ob es die richtige Datei ist."
        )
    if not raw.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise DrehkreuzError(f"Wareneingang {file_name or 'ohne Namen'}: Die Datei ist leer. Bitte fordern Sie sie neu an.")
    digest = hashlib.sha256(raw).hexdigest()
    keys, fault = _keys(session, raw, file_name, supplier_code)
    key = keys[0] if len(keys) == 1 else f"sha256:{digest}"
    put = _put(session, key, raw, digest, content_type=content_type, context=_context(file_name, supplier_code))
    return replace(put, fault=fault) if put.new else put


def _keys(session: Session, raw: bytes, file_name: str, supplier_code: str) -> tuple[list[str], str]:
    """Which deliveries are told, or why nobody can say. Whatever goes wrong while reading, the bytes are kept."""
    try:
        with session.begin_nested():
            return [told.key for told in read(session, raw, file_name=file_name, supplier_code=supplier_code)], ""
    except DespatchError as fault:
        return [], str(fault)
    except OperationalError:
        raise
    except Exception as fault:  # stored before it is understood: the flow meets the fault again and counts it
        log.exception("Wareneingang %s", file_name or "ohne Namen")
        return [], f"Unerwarteter Fehler beim Lesen ({type(fault).__name__})."


def _context(file_name: str, supplier_code: str) -> str:
    """What the way told besides the bytes; kept in the content type as parameters, as mail does it."""
    told = {"name": file_name, "supplier": supplier_code}
    return "".join(f'; {name}="{_QUOTED.sub(" ", value)}"' for name, value in told.items() if value)


def context_of(item: InboxItem) -> tuple[str, str]:
    """File name and supplier code that came with a row."""
    header = Message()
    header["content-type"] = item.content_type
    return str(header.get_param("name", "")), str(header.get_param("supplier", ""))


_SECOND = re.compile(r"#[0-9a-f]{12}$")


def delivery_of(key: str) -> tuple[str, str]:
    """Supplier and delivery note that a row's key names; empty for a row that is known by its bytes alone."""
    supplier, _, note = key.partition("/")
    return (supplier, _SECOND.sub("", note)) if note else ("", "")


def _put(session: Session, key: str, raw: bytes, digest: str, *, content_type: str, context: str) -> Received:
    made = _insert(session, key, raw, content_type + context)
    if made is not None:
        return _ring(session, made, key)
    row = session.scalars(
        sa.select(InboxItem).where(InboxItem.channel == CHANNEL, InboxItem.key == key).with_for_update()
    ).one()
    if row.raw == raw or (content_type == NUDGE and not row.content_type.startswith(NUDGE)):
        return Received(row.id, key, new=False)
    if row.content_type.startswith(NUDGE):  # so far we only knew that it is coming
        row.raw, row.content_type, row.state, row.reason = raw, content_type + context, InboxState.WAITING, None
        return _ring(session, row.id, key)
    second = f"{key}#{digest[:12]}"  # the same delivery told otherwise: kept, compared, never a second receipt
    made = _insert(session, second, raw, content_type + context)
    if made is not None:
        _ring(session, made, second)
    return Received(row.id, key, new=False)


def _insert(session: Session, key: str, raw: bytes, content_type: str) -> int | None:
    now = clock.now()
    return session.scalar(
        insert(InboxItem)
        .values(
            channel=CHANNEL, key=key, state=InboxState.WAITING, received_at=now, content_type=content_type, raw=raw,
            attempts=0, created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["channel", "key"])
        .returning(InboxItem.id)
    )  # fmt: skip


def _ring(session: Session, item_id: int, key: str) -> Received:
    session.flush()
    count = session.scalar(sa.select(sa.func.count()).where(OutboxEvent.key.startswith(f"{BELL}:{item_id}:"))) or 0
    session.add(OutboxEvent(deployment=DEPLOYMENT, parameters={"receipt": key}, key=f"{BELL}:{item_id}:{count + 1}"))
    session.flush()
    notify(session, BELL, str(item_id))
    return Received(item_id, key, new=True)


def receive_request(
    session: Session, token_id: int, idempotency_key: str, raw: bytes, *, content_type: str, supplier_code: str = ""
) -> Received:
    """The same from a machine: its idempotency key with the same body is the same request.

    Raises:
        ConflictError: the key was used with another body.
    """
    digest = hashlib.sha256(raw + b"\x00" + supplier_code.encode()).hexdigest()
    if not idempotency_key:
        return receive(session, raw, content_type=content_type, supplier_code=supplier_code)
    session.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"goods_request:{token_id}:{idempotency_key}", 0)))
    )
    known = session.scalar(
        sa.select(GoodsRequest).where(GoodsRequest.api_token_id == token_id, GoodsRequest.key == idempotency_key)
    )
    if known is not None:
        if known.sha256 != digest:
            raise ConflictError(
                f"Idempotency-Key {idempotency_key}: gehört zu einer anderen Meldung. Bitte einen neuen vergeben."
            )
        return Received(known.inbox_item_id, session.get_one(InboxItem, known.inbox_item_id).key, new=False)
    received = receive(session, raw, content_type=content_type, supplier_code=supplier_code)
    session.add(GoodsRequest(api_token_id=token_id, key=idempotency_key, sha256=digest, inbox_item_id=received.item_id))
    session.flush()
    return received


def nudge(session: Session, key: str) -> Received | None:
    """An event says that `supplier/delivery note` was booked. Known: nothing to do; else a row that waits for the advice."""
    supplier, _, note = key.partition("/")
    if not note or session.scalar(sa.select(Supplier.id).where(Supplier.code == supplier)) is None:
        return None
    booked = sa.select(GoodsReceipt.id).join(Supplier).where(Supplier.code == supplier, GoodsReceipt.delivery_note == note)
    if session.scalar(booked) is not None:
        return None
    raw = f"{key}\n".encode()
    return _put(session, key, raw, hashlib.sha256(raw).hexdigest(), content_type=NUDGE, context="")


def waiting(session: Session, limit: int = 200, after: int = 0) -> list[int]:
    """Rows that wait, oldest first."""
    return list(
        session.scalars(
            sa.select(InboxItem.id)
            .where(InboxItem.channel == CHANNEL, InboxItem.state == InboxState.WAITING, InboxItem.id > after)
            .order_by(InboxItem.id)
            .limit(limit)
        )
    )


def replay(session: Session, item_id: int) -> None:
    """Try a parked row again, after its cause is gone. Raises: NotFoundError."""
    row = session.scalar(
        sa.select(InboxItem)
        .where(InboxItem.id == item_id, InboxItem.channel == CHANNEL, InboxItem.state == InboxState.PARKED)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError(f"Wareneingangskorb: Zeile {item_id} ist nicht geparkt.")
    row.state, row.reason, row.attempts, row.done_at = InboxState.WAITING, None, 0, None
    _ring(session, row.id, row.key)


def dismiss(session: Session, item_id: int, why: str, actor: str) -> None:
    """A person says that a parked row needs nothing more; its bytes stay kept. Raises: NotFoundError, DrehkreuzError."""
    row = session.scalar(
        sa.select(InboxItem)
        .where(InboxItem.id == item_id, InboxItem.channel == CHANNEL, InboxItem.state == InboxState.PARKED)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError(f"Wareneingangskorb: Zeile {item_id} ist nicht geparkt.")
    if not why.strip():
        raise DrehkreuzError("Wareneingangskorb: Bitte sagen Sie in einem Satz, warum die Meldung erledigt ist.")
    row.state, row.done_at = InboxState.DONE, clock.now()
    row.reason = f"Erledigt von {actor}: {why.strip()} (war geparkt: {row.reason})"
    session.flush()


def settle(session: Session) -> int:
    """Mark rows of the outbox whose receipt is worked through: nobody needs to start a run for them. Skips rows in use."""
    done = (
        sa.select(OutboxEvent.id)
        .where(
            OutboxEvent.deployment == DEPLOYMENT,
            OutboxEvent.dispatched_at.is_(None),
            OutboxEvent.key.startswith(f"{BELL}:"),
            ~sa.exists().where(
                InboxItem.id == sa.cast(sa.func.split_part(OutboxEvent.key, ":", 2), sa.BigInteger),
                InboxItem.state == InboxState.WAITING,
            ),
        )
        .with_for_update(skip_locked=True)
    )
    result = session.execute(
        sa.update(OutboxEvent).where(OutboxEvent.id.in_(done)).values(dispatched_at=clock.now(), error=None)
    )
    return int(getattr(result, "rowcount", 0))
