"""The portal of tests/portal, attacked."""

from tests.portal.conftest import _no_old_previews, _quick_hashes, portal, real_portal

__all__ = ["_no_old_previews", "_quick_hashes", "portal", "real_portal"]
