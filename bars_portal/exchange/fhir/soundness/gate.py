"""The quick gate: a Bundle in which nothing can be wrong for the model library, nor for our limits."""

from typing import Any

from fhir.resources.R4B.bundle import Bundle

from bars_portal.exchange.fhir.limits import MAX_DEPTH, MAX_ENTRIES, has_plain_texts
from bars_portal.exchange.fhir.soundness.models import Model, shape_of

# An object takes two levels when it stands in a list, and one level is kept for lists of primitives.
_OBJECTS_DEEP = (MAX_DEPTH - 1) // 2


def is_surely_sound(raw: dict[str, Any]) -> bool:
    """Whether `Bundle.model_validate` and the limits surely take it. False means: not known, ask them.

    Compiled from the library's own models, so it changes with them; whatever it has no rule for is not known.
    Never raises.
    """
    entries = raw.get("entry")
    if isinstance(entries, list) and len(entries) > MAX_ENTRIES:
        return False
    return surely_fits(Bundle, raw)


def surely_fits(model: Model, value: Any) -> bool:
    """The same for an object of any class of the library."""
    try:
        return has_plain_texts(value) and shape_of(model).fits(value, _OBJECTS_DEEP)
    except (KeyError, TypeError, AttributeError):
        # An unknown name, and what is of another type than its place: quicker met than asked for each time.
        return False
