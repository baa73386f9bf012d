"""Which virus check the settings name."""

from integrations.clamd import Clamd, NoScanner
from kit.settings import settings


def scanner() -> Clamd | NoScanner:
    """Clamd if the house runs one, else nothing."""
    address = settings().clamd.strip()
    return Clamd(address) if address else NoScanner()
