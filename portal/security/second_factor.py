"""Second factor (TOTP, RFC 6238): set up with a QR code, sealed by the vault, no code accepted twice."""

import base64
import datetime as dt
import io
from enum import Enum

import pyotp
import segno
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import invitations
from kit import clock
from kit.errors import DrehkreuzError
from kit.vault import vault
from models.access import Login
from portal.security.signin import sign_out_everywhere

_STEP_SECONDS = 30
_DRIFT_STEPS = 1
PROOF = 10
"""Characters that say at least how a person was known."""


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


def reset(session: Session, login: Login, proof: str) -> None:
    """Take somebody's second factor away (lost phone): only with how the person was known, which the trail keeps.

    The person is told by mail, all sessions end, the next sign-in sets up a new factor (ASVS 2.5.7).

    Raises: DrehkreuzError when the proof says too little or there is no factor.
    """
    said = " ".join(proof.split())[:500]
    if len(said) < PROOF:
        raise DrehkreuzError(
            f"Zweiter Faktor von {login.email}: Der Nachweis fehlt oder ist zu kurz. Bitte schreiben Sie, woran Sie die "
            "Person erkannt haben, zum Beispiel »Rückruf unter der hinterlegten Nummer, 14 Uhr«."
        )
    if login.totp_secret is None:
        raise DrehkreuzError(
            f"Zweiter Faktor von {login.email}: Es ist keiner eingerichtet; die nächste Anmeldung fragt danach."
        )
    # in one change with the factor: the trail looks at a login only when what opens it changes
    login.factor_reset_at, login.factor_reset_proof = clock.now(), said
    remove(session, login)
    invitations.tell_change(session, login, invitations.NO_FACTOR)
    sign_out_everywhere(session, login.id)


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
