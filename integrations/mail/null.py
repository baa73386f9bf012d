"""A sender and a mailbox for everyone who tests something else than mail."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Self

from integrations.mail.mailbox import Letter
from integrations.mail.types import BeforeData, OutgoingMail, SendResult, SendState, nothing_before_data


class NullSender:
    """Keeps what it was given in `sent`; answers from `answers` first, then accepts everything."""

    def __init__(self, answers: Iterable[SendResult] = ()) -> None:
        self.sent: list[OutgoingMail] = []
        self._answers = list(answers)

    def send(self, mail: OutgoingMail, before_data: BeforeData = nothing_before_data) -> SendResult:
        before_data(mail)
        answer = self._answers.pop(0) if self._answers else None
        result = answer or SendResult(SendState.ACCEPTED, f"250 2.0.0 null-{len(self.sent) + 1}", 250, mail.recipients)
        if result.state is SendState.ACCEPTED:
            self.sent.append(mail)
        return result

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class NullMailbox:
    """Holds the letters it was given, by UID; `aside` lists those that were moved away."""

    name = "Postfach ohne Server"

    def __init__(self, letters: Mapping[int, bytes] | None = None, received_at: dt.datetime | None = None) -> None:
        self.letters = dict(letters or {})
        self.aside: list[int] = []
        self._received_at = received_at

    def uids(self) -> list[int]:
        return sorted(self.letters)

    def letter(self, uid: int, max_bytes: int) -> Letter | None:
        raw = self.letters.get(uid)
        if raw is None:
            return None
        return Letter(uid, f"null/{uid}", len(raw), self._received_at, raw if len(raw) <= max_bytes else None)

    def put_aside(self, uid: int) -> None:
        if self.letters.pop(uid, None) is not None:
            self.aside.append(uid)
