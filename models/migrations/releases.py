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
    "0.1.0": Release("0009_offers", "5d9e36a697c4f1e5f1462d78a590495a1244e514d2580c541a555015212be49d"),
}
