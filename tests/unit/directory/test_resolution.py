"""One endpoint, none, or several: whether messages reach a service, and why not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.models import Endpoint
from directory.policies import why_no_target

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "row",
    [Endpoint(), Endpoint(connection_type="hl7-fhir-msg"), Endpoint(period_start=NOW, period_end=NOW + DAY)],
    ids=["plain", "messaging", "from-now"],
)
def test_one_that_fits_is_enough_among_others(row: Endpoint) -> None:
    others = [Endpoint(status="off"), Endpoint(payload_type="any"), Endpoint(period_end=NOW)]
    assert why_no_target([*others, row], now=NOW) == ""
    assert why_no_target(others, now=NOW) != ""


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([Endpoint(payload_type="any")], "not for BaRS"),
        ([Endpoint(connection_type="ihe-xds")], "not for FHIR"),
        ([Endpoint(status="suspended")], "suspended"),
        ([Endpoint(status="off")], "switched off"),
        ([Endpoint(status="entered-in-error")], "switched off"),
        ([Endpoint(period_start=NOW + DAY)], "from 15 July 2026"),
        ([Endpoint(period_end=NOW)], "until 14 July 2026"),
        ([Endpoint(payload_type="any"), Endpoint(status="suspended")], "suspended"),
    ],
)
def test_why_none_fits(rows: list[Endpoint], sentence: str) -> None:
    assert sentence in why_no_target(rows, now=NOW)


def test_several_are_too_many() -> None:
    rows = [Endpoint(), Endpoint(), Endpoint(status="off")]
    assert "2 endpoints" in why_no_target(rows, now=NOW)


@given(
    st.lists(
        st.builds(
            Endpoint,
            status=st.sampled_from(["active", "off", "suspended"]),
            connection_type=st.sampled_from(["hl7-fhir-rest", "other"]),
            payload_type=st.sampled_from(["bars", "other"]),
            period_end=st.sampled_from([None, NOW, NOW + DAY]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_messages_reach_it_exactly_when_one_is_usable(rows: list[Endpoint]) -> None:
    usable = [row for row in rows if why_no_target([row], now=NOW) == ""]
    assert (why_no_target(rows, now=NOW) == "") == (len(usable) == 1)
