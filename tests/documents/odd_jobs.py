"""Jobs that go wrong, in a module that a pool's process can import."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """A document that cannot be set."""

    name: str = "refused"

    def run(self) -> bytes:
        raise ValueError("Vorlage kaputt")


@dataclass(frozen=True)
class Deadly:
    """A document that takes its process with it."""

    name: str = "deadly"

    def run(self) -> bytes:
        os._exit(7)


@dataclass(frozen=True)
class Where:
    """Says in which process it ran."""

    name: str = "where"

    def run(self) -> bytes:
        return str(os.getpid()).encode()


def deadly_elsewhere(given: tuple[int, int]) -> int:
    """Ends every process but the first of the two numbers, in one case of three; answers the second number."""
    here, number = given
    if number % 3 == 0 and os.getpid() != here:
        os._exit(7)
    return number
