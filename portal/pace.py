"""A limit on how fast one browser may ask (ASVS 8.1.4): whoever fetches everything page by page is slowed.

Counted in this process's memory, per session and ten times as generously per address: many people may share one. A wall
against haste, not against many; several portals count each for itself. Machines with a token (`/api/`) and files that never
change do not count.
"""

import hashlib
import time
from collections.abc import Callable

WINDOW = 60.0
"""Seconds."""
LIMIT = 600
"""Requests in one window; a person at work needs less than a tenth."""
COSTLY = 120
"""Of these, writes and what is dear to compute (ASVS 11.1.2): two in a second, all the while, is no person."""
AN_ADDRESS = 10
"""Times the limit that all sessions of one address have together."""
MOST = 20_000
"""Callers that are remembered."""


class Pace:
    """How often each caller has asked in the present window.

    Args:
        limit: requests per window; further ones are too many.
        costly: writes and dear pages among them.
        now: seconds that only grow.
    """

    def __init__(self, limit: int = LIMIT, now: Callable[[], float] = time.monotonic, costly: int = COSTLY) -> None:
        self._limit, self._now, self._costly = limit, now, costly
        self._began = now()
        self._seen: dict[bytes, int] = {}

    def too_fast(self, token: str, address: str, *, costly: bool = False) -> bool:
        """Count this request; whether it is one too many for its session or its address. Only hashes are kept."""
        if self._now() - self._began >= WINDOW or len(self._seen) >= MOST:
            self._began = self._now()
            self._seen.clear()
        alone = bool(token) and self._count(f"session {token}") > self._limit
        if costly and token:
            alone = self._count(f"costly {token}") > self._costly or alone
        return self._count(f"address {address}") > AN_ADDRESS * self._limit or alone

    def _count(self, caller: str) -> int:
        key = hashlib.sha256(caller.encode()).digest()
        self._seen[key] = self._seen.get(key, 0) + 1
        return self._seen[key]

    def wait(self) -> int:
        """Seconds until the window ends, at least one."""
        return max(1, round(WINDOW - (self._now() - self._began)))
