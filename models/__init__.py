"""The one data model. Importing it registers every table on `Base.metadata`."""

from models import (
    access,
    agreements,
    assets,
    billing,
    catalogue,
    contracts,
    goods,
    handover,
    maintenance,
    offers,
    parties,
    plumbing,
    restoration,
    service_desk,
    watching,
    work,
)
from models.base import Base

__all__ = [
    "Base",
    "access",
    "agreements",
    "assets",
    "billing",
    "catalogue",
    "contracts",
    "goods",
    "handover",
    "maintenance",
    "offers",
    "parties",
    "plumbing",
    "restoration",
    "service_desk",
    "watching",
    "work",
]
