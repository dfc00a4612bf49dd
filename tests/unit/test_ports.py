"""One question, one room that answers it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from bars_portal.ports import Port


def test_who_plugs_in_is_asked() -> None:
    port = Port[str]("the time of day", unplugged="nobody knows")
    assert port.provider == "nobody knows"
    port.plug("noon")
    port.plug("noon")
    assert port.provider == "noon"


def test_a_question_has_one_answer() -> None:
    port = Port[list[str]]("the time of day")
    with pytest.raises(ImproperlyConfigured, match="No room tells the time of day"):
        _ = port.provider
    port.plug([])
    with pytest.raises(ImproperlyConfigured, match="Two rooms want to tell the time of day"):
        port.plug([])
