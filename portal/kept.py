"""What somebody typed when it could not be taken: the session had ended meanwhile, or the database was away.

Our pages are never stored by the browser, so going back would bring an empty form. The error page carries the fields instead
and sends them again when the person says so. Only what the same browser has just sent is shown to it, and nothing is kept here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SECRET = frozenset({"current", "password", "again", "code", "secret"})
"""Fields whose forms never come back in a page."""
CARRIED = frozenset({"was", "seen", "shown"})
"""Fields that a form carries along for itself."""
MOST = 500_000
"""Characters; far beyond what anybody types."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form, and where it was going. `files`: how many there were; they have to be chosen again."""

    path: str
    fields: Sequence[tuple[str, str]]
    files: int

    @property
    def texts(self) -> list[str]:
        """What is worth reading or copying: values of several words that a person typed."""
        return [value for name, value in self.fields if name not in CARRIED and len(value.split()) > 1]


async def typed(request: Request) -> Typed | None:
    """The form that this request carries; None when there is none, nothing in it, or a secret."""
    if request.method != "POST" or not request.headers.get("content-type", "").startswith(FORMS):
        return None
    try:
        async with request.form(max_files=20, max_fields=2000) as data:
            items = data.multi_items()
    except (HTTPException, RuntimeError):  # not readable, or read already by who failed
        return None
    fields = [(name, value) for name, value in items if isinstance(value, str)]
    files = sum(isinstance(value, UploadFile) and bool(value.filename) for _, value in items)
    if not any(value.strip() for _, value in fields) or SECRET & {name for name, _ in fields}:
        return None
    if sum(len(name) + len(value) for name, value in fields) > MOST:
        return None
    return Typed(request.url.path + (f"?{request.url.query}" if request.url.query else ""), fields, files)
