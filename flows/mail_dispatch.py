"""Postausgang: sends what the outbox holds. Process: docs/processes/mail_dispatch.md"""

from kit.steps import Outcome, flow
from tasks import mail_dispatch as post
from tasks import restoration


@flow(name="Postausgang", run_name="Postausgang leeren", titles={"force": "Pausierende Mails auch versuchen"})
def mail_dispatch(force: bool = False) -> Outcome:
    """Holt das Postfach ab, liest Rückläufer, versendet, was im Postausgang wartet, und archiviert. Beliebig oft startbar.

    Args:
        force: Auch Mails erneut versuchen, die nach einem Fehler pausieren.
    """
    fetched = post.fetch_mailbox()
    if stopped := restoration.held():
        return stopped
    post.read_bounces()
    done = post.send_queued(force=force)
    post.archive_sent()
    return post.tell(done, fetched)
