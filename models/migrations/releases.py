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
    "0.1.0": Release("0008_run_notices", "22286df76adc2c8512ff75202e30b1e17e7ed63f03364a3ad5559e2699398869"),
}
