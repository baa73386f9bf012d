"""Forms: the fields as a pydantic model, its complaints in German beside their fields."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from actions.uploads import take
from actions.viruses import scanner
from kit.database import Role, unit_of_work
from portal.security.cookies import read_token
from portal.security.person import identify

M = TypeVar("M", bound=BaseModel)

GERMAN = {
    "missing": "Bitte ausfüllen.",
    "string_too_short": "Bitte mindestens {min_length} Zeichen eingeben.",
    "string_too_long": "Bitte höchstens {max_length} Zeichen eingeben.",
    "string_pattern_mismatch": "Diese Form ist nicht erlaubt.",
    "int_parsing": "Bitte eine ganze Zahl eingeben.",
    "int_from_float": "Bitte eine ganze Zahl eingeben.",
    "decimal_parsing": "Bitte eine Zahl eingeben.",
    "bool_parsing": "Bitte ja oder nein wählen.",
    "date_parsing": "Bitte ein Datum eingeben (TT.MM.JJJJ).",
    "date_from_datetime_parsing": "Bitte ein Datum eingeben (TT.MM.JJJJ).",
    "greater_than": "Muss größer als {gt} sein.",
    "greater_than_equal": "Muss mindestens {ge} sein.",
    "less_than": "Muss kleiner als {lt} sein.",
    "less_than_equal": "Darf höchstens {le} sein.",
    "enum": "Bitte einen der Vorschläge wählen.",
    "literal_error": "Bitte einen der Vorschläge wählen.",
    "value_error": "{error}",
}


class Form(BaseModel):
    """Base of all forms: blanks around texts do not count, unknown fields are ignored."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")


@dataclass(slots=True)
class Filled(Generic[M]):
    """A form as it came in: `value` when everything is right, else `errors` per field; `raw` refills the fields."""

    value: M | None
    raw: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, default: Any = "") -> Any:
        """What stands in the field."""
        return self.raw.get(name, default)

    def complain(self, name: str, text: str) -> None:
        """A fault that only the action found."""
        self.errors[name] = text


def filled(form: type[M], data: FormData) -> Filled[M]:
    """Read the fields of the model; a field that may hold several values takes all of them."""
    raw: dict[str, Any] = {}
    for name, info in form.model_fields.items():
        several = "list" in str(info.annotation)
        values = [v for v in data.getlist(name) if isinstance(v, str)]
        if several:
            raw[name] = values
        elif values and values[-1].strip() != "":
            raw[name] = values[-1]
        elif values and info.is_required() and info.annotation is str:
            raw[name] = ""
    try:
        return Filled(form.model_validate(raw), raw)
    except ValidationError as fault:
        return Filled(None, raw, {str(e["loc"][-1]): german(e) for e in fault.errors()})


def blank(form: type[M], **values: Any) -> Filled[M]:
    """An empty form, or one filled from a row."""
    return Filled(None, {name: values.get(name, "") for name in form.model_fields})


def german(error: Any) -> str:
    """The complaint of pydantic in German."""
    return GERMAN.get(error["type"], "Diese Eingabe passt nicht.").format(**error.get("ctx", {}))


def _count(request: Request, files: int, size: int) -> None:
    """Files of somebody who is not signed in go nowhere: the route refuses them."""
    person = getattr(request.state, "person", None) or identify(read_token(request))
    if person is not None:
        with unit_of_work(person.actor, Role.PORTAL_STAFF) as session:
            take(session, person.login_id, files, size)


async def _read(request: Request) -> AsyncIterator[FormData]:
    """Read the body; what is uploaded counts for the person's day, then passes the virus check if the house runs one.

    Raises: UploadLimitError, InfectedError, ScannerAwayError.
    """
    async with request.form(max_files=20, max_fields=2000) as data:  # closes what was uploaded, read or not
        sent = [value for _, value in data.multi_items() if isinstance(value, UploadFile) and value.filename]
        if sent:
            await run_in_threadpool(_count, request, len(sent), sum(file.size or 0 for file in sent))
        look = scanner()
        for file in sent:
            await run_in_threadpool(look.check, PurePath(file.filename or "").name[:200], file.file)
        yield data


Data = Annotated[FormData, Depends(_read)]
"""The fields of the request's body."""
