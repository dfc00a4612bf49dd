"""Actions of lists in the administration, as people carry them out."""

from collections.abc import Iterable
from typing import Any

from django.test import Client


def carry_out(client: Client, address: str, action: str, keys: Iterable[Any], **more: str) -> Any:
    """Chosen in a list, and said yes to on the page that asks first; the answer to the yes."""
    chosen = {"action": action, "_selected_action": [str(key) for key in keys], **more}
    asked = client.post(address, chosen, follow=True)
    seal = asked.context["seal"] if asked.context is not None and "seal" in asked.context else ""
    return client.post(address, {**chosen, "confirmed": seal}, follow=True) if seal else asked
