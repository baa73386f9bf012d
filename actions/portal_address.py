"""Where people find the portal: the setting, else what house.csv says, else this machine."""

import sqlalchemy as sa

from kit.database import unit_of_work
from kit.settings import settings
from models.parties import House


def portal_address() -> str:
    """The portal's address without a slash at its end."""
    if settings().portal_url:
        return settings().portal_url.rstrip("/")
    with unit_of_work("system") as session:
        named = session.scalar(sa.select(House.portal_url))
    return (named or f"http://127.0.0.1:{settings().portal_port}").rstrip("/")
