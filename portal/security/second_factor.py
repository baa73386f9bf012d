"""Second factor (TOTP, RFC 6238): set up with a QR code, sealed by the vault, no code accepted twice."""

import base64
import datetime as dt
import io
from enum import Enum

import pyotp
import segno
import sqlalchemy as sa
from sqlalchemy.orm import Session

from kit import clock
from kit.vault import vault
from models.access import Login

_STEP_SECONDS = 30
_DRIFT_STEPS = 1


def _step() -> int:
    """The present time step. Phones show the real time, so a shift of our clock is taken back."""
    real = (clock.local(clock.now()) - dt.timedelta(days=clock.shift_days())).astimezone(dt.UTC)
    return int(real.timestamp()) // _STEP_SECONDS


def new_secret() -> str:
    """A fresh shared secret (160 bits, base32)."""
    return pyotp.random_base32()


def qr_picture(secret: str, email: str, issuer: str) -> str:
    """The set-up code as a picture that stands in the page itself (data: URI, SVG)."""
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)
    buffer = io.BytesIO()
    segno.make(address, error="m").save(buffer, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=False)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


def matching_step(secret: str, code: str) -> int | None:
    """The time step that this code belongs to (now, one before, one after), or None."""
    digits = "".join(code.split())
    totp = pyotp.TOTP(secret)
    now = _step()
    for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), digits):
            return step
    return None


def store(session: Session, login: Login, secret: str, step: int) -> None:
    """The person has shown a right code: keep the secret, and that code's step as used."""
    login.totp_secret = vault().seal(secret, "login", login.id)
    login.totp_last_step = step
    session.flush()


def remove(session: Session, login: Login) -> None:
    """Forget the second factor (lost phone); the next sign-in sets up a new one."""
    login.totp_secret = None
    login.totp_last_step = None
    session.flush()


class Answer(Enum):
    """What a code is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    USED = "used"
    """Right, but somebody has signed in with it already."""


def use(session: Session, login: Login, code: str) -> Answer:
    """Whether the code is right and new. One UPDATE claims its step, so the same code wins at most once."""
    if login.totp_secret is None:
        return Answer.WRONG
    step = matching_step(vault().open(login.totp_secret, "login", login.id), code)
    if step is None:
        return Answer.WRONG
    claimed = session.scalar(
        sa.update(Login)
        .where(Login.id == login.id, sa.or_(Login.totp_last_step.is_(None), Login.totp_last_step < step))
        .values(totp_last_step=step)
        .returning(Login.id)
    )
    return Answer.USED if claimed is None else Answer.RIGHT
