"""Archivprüfung: re-reads what was archived. Process: docs/processes/archive_check.md"""

from kit.steps import Outcome, flow
from tasks import archive_check as archive


@flow(name="Archivprüfung", run_name="Archiv prüfen")
def archive_check() -> Outcome:
    """Versiegelt neue Belege in der Kette, liest alle Objekte nach und vergleicht die Prüfsummen."""
    sealed = archive.seal_chain()
    return archive.tell(sealed, archive.read_again())
