"""Which mail server the settings name; without one the recording sink of the home, so that nothing leaves the machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integrations.mail.smtp import SmtpSender
from integrations.mail.types import MailSettingsError, SmtpServer
from kit.settings import Settings, home, settings

_SINK_SECONDS = 20.0


def server_of(chosen: Settings) -> SmtpServer:
    """The mail server of the settings."""
    return SmtpServer(
        host=chosen.smtp_host,
        port=chosen.smtp_port,
        tls=chosen.smtp_tls,
        user=chosen.smtp_user,
        password=chosen.smtp_password.get_secret_value(),
        timeout=float(chosen.smtp_timeout),
    )


@contextmanager
def sender() -> Iterator[SmtpSender]:
    """One connection for a batch of mails."""
    chosen = settings()
    if chosen.smtp_host:
        with SmtpSender(server_of(chosen)) as open_sender:
            yield open_sender
        return
    with own_sink(home() / "mail") as port, SmtpSender(SmtpServer("127.0.0.1", port, tls="none")) as open_sender:
        yield open_sender


@contextmanager
def own_sink(folder: Path) -> Iterator[int]:
    """The sink as a child for as long as it is needed (a run without the services of the home)."""
    folder.mkdir(parents=True, exist_ok=True)
    port_file = folder / f".port-{os.getpid()}"
    command = [sys.executable, "-m", "integrations.mail.sink", "--dir", str(folder), "--port-file", str(port_file)]
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(root)})
    try:
        yield _port(child, port_file)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=_SINK_SECONDS)
        port_file.unlink(missing_ok=True)


def _port(child: subprocess.Popen[bytes], port_file: Path) -> int:
    deadline = time.monotonic() + _SINK_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        if port_file.exists() and (text := port_file.read_text(encoding="ascii").strip()):
            return int(text)
        time.sleep(0.02)
    raise MailSettingsError(
        "Mailversand: Es ist kein Mailserver eingestellt und die lokale Senke startet nicht. Setzen Sie DREHKREUZ_SMTP_HOST."
    )
