"""The cookies: the session (32 random bytes), a message for the next page sealed with it, and a mark of the device."""

import base64
import hashlib
import hmac
import json
from typing import Literal

from fastapi import Request, Response

from kit.settings import settings

Tone = Literal["success", "info", "warning", "danger"]
FLASH_SECONDS = 120
MARK_SECONDS = 400 * 86_400
"""As long as browsers keep a cookie at all."""


def is_secure(request: Request) -> bool:
    """Whether people reach us over TLS: the request says so, or the public address in the settings."""
    return request.url.scheme == "https" or settings().portal_url.startswith("https://")


def session_cookie(request: Request) -> str:
    """The name; behind TLS with the prefix that no other host and no plain connection can overwrite."""
    return "__Host-drehkreuz" if is_secure(request) else "drehkreuz"


def read_token(request: Request) -> str:
    """The session's token as the browser sent it, or nothing."""
    return request.cookies.get(session_cookie(request), "")


def set_token(request: Request, response: Response, token: str, seconds: int) -> None:
    """Hand out a session."""
    response.set_cookie(
        session_cookie(request), token, max_age=seconds, path="/", httponly=True, samesite="lax", secure=is_secure(request)
    )


def drop_token(request: Request, response: Response) -> None:
    """Forget the session in this browser."""
    response.delete_cookie(session_cookie(request), path="/", httponly=True, samesite="lax", secure=is_secure(request))


def read_mark(request: Request) -> str:
    """The random mark that this browser got at an earlier sign-in, or nothing. It opens nothing: it tells devices apart."""
    return request.cookies.get(session_cookie(request) + "-geraet", "")[:100]


def set_mark(request: Request, response: Response, mark: str) -> None:
    """Mark this browser, so that its next sign-in is none of a new device. It outlives the session."""
    response.set_cookie(
        session_cookie(request) + "-geraet",
        mark,
        max_age=MARK_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )


def _flash_cookie(request: Request) -> str:
    return session_cookie(request) + "-hinweis"


def _seal(token: str, payload: bytes) -> str:
    return hmac.new(hashlib.sha256(b"flash:" + token.encode()).digest(), payload, hashlib.sha256).hexdigest()


def set_flash(request: Request, response: Response, text: str, tone: Tone = "success") -> None:
    """A message for the page that follows; only the same session can read it."""
    payload = base64.urlsafe_b64encode(json.dumps([tone, text[:1500]]).encode())
    value = f"{_seal(read_token(request), payload)}.{payload.decode()}"
    response.set_cookie(
        _flash_cookie(request), value, max_age=FLASH_SECONDS, path="/", httponly=True, samesite="lax", secure=is_secure(request)
    )


def read_flash(request: Request) -> tuple[str, str] | None:
    """(tone, text) of the message, or None; whatever was not written by us is ignored."""
    seal, _, payload = request.cookies.get(_flash_cookie(request), "").partition(".")
    if not payload or not hmac.compare_digest(seal, _seal(read_token(request), payload.encode("ascii", "replace"))):
        return None
    tone, text = json.loads(base64.urlsafe_b64decode(payload))
    return str(tone), str(text)


def drop_flash(request: Request, response: Response) -> None:
    """The message was shown."""
    response.delete_cookie(_flash_cookie(request), path="/", httponly=True, samesite="lax", secure=is_secure(request))
