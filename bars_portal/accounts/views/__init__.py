"""Pages of accounts."""

from bars_portal.accounts.views.lockout import locked_out

__all__ = ["locked_out"]
