"""The import of a company folder: everything is checked first, then written in the caller's one transaction, or nothing is.

The rows of every file are read once into temporary tables, each cell checked on the way; keys, references and what stands
fast in the database are then checked by set-based statements. So memory stays flat whatever the size of a file, and what is
written is exactly what was checked, even if somebody saves the file again meanwhile. A check does the same and takes the
writing back at its end: whatever a database could object to, it objects to then.
"""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.company.cells import nearest
from actions.company.checking import Bench, check_rows
from actions.company.files import BY_NAME, FILES
from actions.company.findings import WHOLE_FILE, FileReport, Findings, ImportReport
from actions.company.guards import check_stored, hold
from actions.company.merging import compare, merge
from actions.company.staging import FILE_ORDER, Progress, Staged, complete, read_file
from actions.company.writing import write
from kit import clock
from kit.database import try_lock
from kit.errors import ConflictError, UsageError
from models.plumbing import AuditEntry, ImportBatch

LOCK = "company-import"


def import_folder(
    session: Session, folder: Path | str, *, check_only: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Read, check and (unless `check_only`) write a company folder.

    Args:
        session: an open unit of work of the role `app`; the caller commits. It is treated as a mass load (`bulk`).
        folder: the folder with the CSV files.
        check_only: find out what an import would do, write nothing.
        progress: told how far it is.

    Returns:
        The report. When `report.ok` is false nothing was written.

    Raises:
        UsageError: there is no such folder.
        ConflictError: another import is under way, or somebody changed the same rows while this one wrote.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"Import: Den Ordner {folder} gibt es nicht. Nennen Sie den Ordner mit den CSV-Dateien.")
    if not try_lock(session, LOCK):
        raise ConflictError("Import: Es läuft schon ein anderer. Warten Sie, bis er fertig ist, und starten Sie dann erneut.")
    bulk = session.scalar(sa.select(sa.func.current_setting("drehkreuz.bulk", True)))
    session.execute(sa.select(sa.func.set_config("drehkreuz.bulk", "1", True)))
    try:
        report = _import(session, folder, check_only=check_only, progress=progress)
    except DBAPIError as error:
        raise ConflictError(
            f"Import: Die Datenbank nimmt die Daten so nicht an ({reason(error)}); es wurde nichts übernommen. "
            "Hat gleichzeitig jemand daran gearbeitet, starten Sie ihn erneut, sonst berichtigen Sie die genannte Angabe."
        ) from error
    session.execute(sa.select(sa.func.set_config("drehkreuz.bulk", bulk or "", True)))
    return report


def reason(error: DBAPIError) -> str:
    """What the database said, in one line."""
    return str(error.orig).strip().splitlines()[0]


def _import(session: Session, folder: Path, *, check_only: bool, progress: Progress | None) -> ImportReport:
    findings = Findings(FILE_ORDER)
    report = ImportReport(str(folder), check_only)
    staged = _read(session, folder, findings, progress)
    if progress:
        progress.step("prüfen: Schlüssel, Verweise und was schon feststeht")
    check_staged(session, staged, findings)
    if findings.error_count:
        report.files = [FileReport(one.file.name, one.rows, sha256=one.sha256) for one in staged]
    elif check_only:
        with session.begin_nested() as taken_back:
            report.files = _write(session, staged, progress)
            taken_back.rollback()
    else:
        report.files = _write(session, staged, progress)
        _remember(session, report)
    return findings.into(report)


def _write(session: Session, staged: list[Staged], progress: Progress | None) -> list[FileReport]:
    done = []
    for one in staged:
        if progress:
            progress.step(f"schreiben: {one.file.name}")
        done.append(write(session, one))
    return done


def _read(session: Session, folder: Path, findings: Findings, progress: Progress | None) -> list[Staged]:
    _stray_files(folder, findings)
    present = [file for file in FILES if (folder / file.name).exists() or (folder / file.name).is_symlink()]
    if not present:
        findings.error(str(folder), 0, WHOLE_FILE, f"keine einzige Datei gefunden; erlaubt: {', '.join(BY_NAME)}")
    return [read_file(session, file, folder / file.name, findings, progress) for file in present]


def _stray_files(folder: Path, findings: Findings) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".csv", ".txt", ".xlsx", ".xls", ".tsv") and path.name not in BY_NAME:
            meant = nearest(path.stem + ".csv", BY_NAME)
            guess = f"; ist {meant} gemeint?" if meant else ""
            text = f"wird nicht gelesen, eine Datei dieses Namens kennt der Import nicht{guess}"
            findings.hint(path.name, 1, WHOLE_FILE, "stray", text)


def check_staged(session: Session, staged: list[Staged], findings: Findings) -> None:
    """Check what lies in the temporary tables against itself and against what is stored."""
    for one in staged:
        complete(session, one, findings)
    files = [one.file for one in staged if one.rows]
    bench = Bench(session, findings, files, torn=[one.file for one in staged if not one.whole])
    check_rows(bench)
    merge(bench, [one for one in staged if one.rows])
    for file in files:
        compare(session, file)
        hold(session, file)
    check_stored(bench)


def _remember(session: Session, report: ImportReport) -> None:
    """One row and one audit entry tell what came in, from which bytes."""
    files = {
        one.file: {"sha256": one.sha256, "rows": one.rows, "created": one.created, "changed": one.changed}
        for one in report.files
    }
    actor = str(session.info.get("actor", "system"))
    batch = ImportBatch(at=clock.now(), actor=actor, folder=report.folder, files=files)
    session.add(batch)
    session.flush()
    told = {"action": "import", "table_name": "import_batch", "row_id": batch.id, "after": files}
    session.add(AuditEntry(at=batch.at, actor=actor, **told))
    session.flush()
