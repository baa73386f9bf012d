"""Dokumente: what a month issued, each file through the archive with its hash checked."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from actions import archive
from kit.errors import NotFoundError
from models.plumbing import ArchivedObject
from models.watching import AccessKind
from portal.pages import Crumb, page
from portal.queries import billing
from portal.routes.runs import Monat, crumbs, released
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter()
See = Annotated[Person, Depends(need("dokument.sehen"))]
INLINE = frozenset({"application/pdf"})
KINDS = frozenset({"reports", "invoices", "paper", "checks", "sap", "datev", "post", "offers"})
"""What is opened by its number in the archive: what the house issued. Everything else (mails, files of tickets and of analyses)
opens where it belongs, guarded as that page is."""
PDF_POLICY = (
    "default-src 'none'; object-src 'self'; plugin-types application/pdf; style-src 'unsafe-inline'; frame-ancestors 'self'"
)


@router.get("/abrechnung/{month}/dokumente")
def list_documents(
    request: Request, person: See, session: StaffSession, month: Monat, *, seite: int = 1, suche: str = "", art: str = ""
) -> Response:
    """Reports and invoices of the month."""
    del person
    return page(
        request,
        "documents.html",
        crumbs=crumbs(month, Crumb("Dokumente")),
        run=released(session, month),
        month=month,
        documents=billing.documents(session, str(month), seite, suche, art),
        query={"suche": suche, "art": art},
    )


@router.get("/archiv/{object_id}/{name}", dependencies=[reads.noted(AccessKind.DOCUMENT)])
def open_file(person: See, session: StaffSession, object_id: int, name: str, *, laden: str = "") -> Response:
    """One archived file: PDFs open in the browser, everything else is saved. `name` only names the file."""
    del person
    row = session.get(ArchivedObject, object_id)
    if row is None or row.key.partition("/")[0] not in KINDS:
        raise NotFoundError("Archiv: Diese Datei gibt es nicht.")
    content = archive.read(session, row.key)
    kind = "inline" if row.content_type in INLINE and not laden else "attachment"
    return Response(
        content,
        media_type=row.content_type,
        headers={
            "content-disposition": f"{kind}; filename*=UTF-8''{quote(name)}",
            "content-security-policy": PDF_POLICY if kind == "inline" else "default-src 'none'; sandbox",
        },
    )
