"""Access tokens are short secrets: unreadable in the database."""

from bars_portal.sealing import Sealer

_SEALER = Sealer("bars_portal.exchange access token")
seal, unseal = _SEALER.seal, _SEALER.unseal
