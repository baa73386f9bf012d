"""A sender for everyone who tests something else than mail."""

from collections.abc import Iterable
from typing import Self

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
