"""The drawing of delivery in ARCHITECTURE.md has the states of the code; those of bookings are generated."""

import re

from bars_portal.exchange.models import DeliveryState
from tests.unit.docs.markdown import ROOT, blocks

_EDGE = re.compile(r"^ *(\S+) --> (\S+): .+$", re.MULTILINE)


def test_delivery_is_drawn_with_the_states_in_use() -> None:
    mermaid = blocks((ROOT / "docs" / "ARCHITECTURE.md").read_text(), "mermaid")
    (drawing,) = (block for block in mermaid if block.startswith("stateDiagram"))
    drawn = {state for edge in _EDGE.findall(drawing) for state in edge} - {"[*]"}
    assert drawn == set(DeliveryState.values)
