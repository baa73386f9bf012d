"""Postausgang: sends what the outbox holds. Process: docs/processes/mail_dispatch.md"""

from kit.steps import Outcome, flow
from tasks import mail_dispatch as post


@flow(name="Postausgang", run_name="Postausgang leeren")
def mail_dispatch(force: bool = False) -> Outcome:
    """Versendet, was im Postausgang wartet, liest Rückläufer und legt Gesendetes ins Archiv. Beliebig oft startbar.

    Args:
        force: Auch Mails erneut versuchen, die nach einem Fehler pausieren.
    """
    post.read_bounces()
    done = post.send_queued(force=force)
    post.archive_sent()
    return post.tell(done)
