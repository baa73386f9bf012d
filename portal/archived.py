"""Files that people put to a record, as answers: shown where that is harmless, else saved."""

from urllib.parse import quote

from fastapi import Response
from sqlalchemy.orm import Session

from actions import archive

INLINE = ("image/png", "image/jpeg", "image/webp", "application/pdf")


def archived_file(session: Session, key: str, file_name: str, content_type: str) -> Response:
    """A file from the archive, its hash checked. It runs nothing, whatever stands in it: strangers may have sent it."""
    kind = "inline" if content_type in INLINE else "attachment"
    return Response(
        archive.read(session, key),
        media_type=content_type,
        headers={
            "content-disposition": f"{kind}; filename*=UTF-8''{quote(file_name)}",
            "content-security-policy": "default-src 'none'; sandbox",
            "x-content-type-options": "nosniff",
        },
    )
