"""How much one person may upload in a day (ASVS 12.1.3): counted before anything of it is looked at or kept."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kit import clock
from kit.errors import DrehkreuzError
from kit.settings import settings
from models.watching import UploadDay

MB = 1_000_000


class UploadLimitError(DrehkreuzError):
    """The person has uploaded so much today that this would be beyond the limit."""


def take(session: Session, login_id: int, files: int, size: int) -> None:
    """Count these files; one statement decides, so that many at once cannot slip past.

    Args:
        session: the transaction; it must commit for the count to hold.
        login_id: who uploads.
        files: how many.
        size: bytes of all of them.

    Raises: UploadLimitError, and nothing is counted.
    """
    own = settings()
    most, volume = own.upload_files_per_day, own.upload_mb_per_day * MB
    today = clock.today()
    row = insert(UploadDay).values(login_id=login_id, day=today, files=files, size=size, created_at=clock.now())
    total = UploadDay.files + row.excluded.files, UploadDay.size + row.excluded.size
    counted = row.on_conflict_do_update(
        index_elements=[UploadDay.login_id, UploadDay.day],
        set_={"files": total[0], "size": total[1]},
        where=sa.and_(total[0] <= most, total[1] <= volume),
    )
    fits = files <= most and size <= volume
    if fits and session.scalar(counted.returning(UploadDay.id)) is not None:
        return
    raise UploadLimitError(_told(session, login_id, files, size))


def _told(session: Session, login_id: int, files: int, size: int) -> str:
    today, own = clock.today(), settings()
    statement = sa.select(UploadDay.files, UploadDay.size).where(UploadDay.login_id == login_id, UploadDay.day == today)
    had, bytes_had = session.execute(statement).tuples().one_or_none() or (0, 0)
    if had + files > own.upload_files_per_day:
        more = f"{had} Dateien angekommen, mit diesen wären es {had + files}; erlaubt sind {own.upload_files_per_day} am Tag"
    else:
        more = (
            f"{_mb(bytes_had)} MB angekommen, mit diesen wären es {_mb(bytes_had + size)} MB; erlaubt sind "
            f"{own.upload_mb_per_day} MB am Tag"
        )
    return (
        f"Hochladen: Von Ihrem Zugang sind heute schon {more}. Gespeichert ist nichts davon. Ab morgen, "
        f"{today + dt.timedelta(days=1):%d.%m.%Y}, 0 Uhr, geht es weiter. Ist es eilig, hilft die Serviceleitung."
    )


def _mb(size: int) -> str:
    return f"{size / MB:.1f}".replace(".", ",")
