"""One root for every refusal of ours: a German sentence that names place, fault and remedy."""


class DrehkreuzError(Exception):
    """A refusal that a person can read. `str(error)` is German and complete; the command line prints it as it is."""

    exit_code = 1


class UsageError(DrehkreuzError):
    """The call itself is wrong (unknown flow, impossible month): exit code 2."""

    exit_code = 2


class NotFoundError(DrehkreuzError):
    """Nothing by that key, or nothing that the asking person may see."""


class AwayError(DrehkreuzError):
    """Something outside of us does not answer; nothing was decided. Steps try again, a run that ends by it goes on later."""


class ConflictError(DrehkreuzError):
    """The state in the database forbids it (already released, changed since, locked)."""
