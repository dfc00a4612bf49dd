"""What stands in the chain for events whose time was over: signed, so that nobody else can invent it."""

import orjson

from bars_portal.audit.chain.canonical import as_text
from bars_portal.audit.chain.signing import Keys, Signature, is_believed, sign
from bars_portal.audit.models import Pruning

_VERSION = 1


def signed(pruning: Pruning) -> Pruning:
    """The same, not yet written, with our signature. Raises ImproperlyConfigured."""
    signature = sign(_content(pruning))
    pruning.key, pruning.signature = signature.key, signature.signature
    return pruning


def is_pruning_believed(pruning: Pruning, keys: Keys) -> bool:
    return is_believed(keys, _content(pruning), Signature(pruning.key, bytes(pruning.signature)))


def _content(pruning: Pruning) -> bytes:
    told = [
        "bars audit pruning",
        _VERSION,
        pruning.first_number,
        pruning.number,
        pruning.total,
        bytes(pruning.hash).hex(),
        sorted(pruning.days.items()),
        as_text(pruning.pruned_at),
        pruning.actor_label,
    ]
    return orjson.dumps(told)
