"""The structured invoice: CII XML of EN 16931 (ZUGFeRD) or XRechnung, and the checks it must pass before it may leave."""

from integrations.einvoice.build import Profile, build_cii
from integrations.einvoice.checks import CheckRecord, check
from integrations.einvoice.reading import Finding

__all__ = ["CheckRecord", "Finding", "Profile", "build_cii", "check"]
