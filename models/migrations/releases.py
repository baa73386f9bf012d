"""Which revision each released version ended at. What is released is never rewritten: homes out there have run it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A version that houses work with.

    Args:
        revision: the newest migration it brings.
        migrations_sha256: over the files of all migrations up to it, in their order.
    """

    revision: str
    migrations_sha256: str


RELEASES = {
    "0.1.0": Release("0007_hardening", "11481728993a778aaa70fec5f62cbfeeb1ef1555300fdbd09f86a5d24d512a33"),
}
