"""One endpoint, none, or several: which, and why."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.selectors.targets import NoEndpoint, SeveralEndpoints, Target, resolve, why_unusable

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    status: str = "active"
    connection_type: str = "hl7-fhir-rest"
    payload_type: str = "bars"
    period_start: datetime | None = None
    period_end: datetime | None = None


@pytest.mark.parametrize(
    "row",
    [Row(), Row(connection_type="hl7-fhir-msg"), Row(period_start=NOW, period_end=NOW + DAY)],
    ids=["plain", "messaging", "from-now"],
)
def test_one_that_fits_is_found_among_others(row: Row) -> None:
    others = [Row(status="off"), Row(payload_type="any"), Row(period_end=NOW)]
    assert resolve(Target(True, [*others, row]), now=NOW) is row


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (None, "no such service"),
        (Target(False, [Row()]), "not active"),
        (Target(True, []), "no endpoint"),
        (Target(True, [Row(payload_type="any")]), "not for BaRS"),
        (Target(True, [Row(connection_type="ihe-xds")]), "not for FHIR"),
        (Target(True, [Row(status="suspended")]), "suspended"),
        (Target(True, [Row(status="off")]), "switched off"),
        (Target(True, [Row(status="entered-in-error")]), "switched off"),
        (Target(True, [Row(period_start=NOW + DAY)]), "from 15 July 2026"),
        (Target(True, [Row(period_end=NOW)]), "until 14 July 2026"),
        (Target(True, [Row(payload_type="any"), Row(status="suspended")]), "suspended"),
    ],
)
def test_none_is_not_found_with_the_reason(target: Target | None, sentence: str) -> None:
    with pytest.raises(NoEndpoint, match=sentence) as refused:
        resolve(target, now=NOW)
    assert (refused.value.status, refused.value.code, refused.value.issue) == (
        404,
        "PROXY_NOT_FOUND",
        "not-found",
    )


def test_several_are_too_many() -> None:
    with pytest.raises(SeveralEndpoints, match="2 endpoints") as refused:
        resolve(Target(True, [Row(), Row(), Row(status="off")]), now=NOW)
    assert (refused.value.status, refused.value.code, refused.value.issue) == (
        404,
        "NOT_FOUND",
        "multiple-matches",
    )


@given(
    st.lists(
        st.builds(
            Row,
            status=st.sampled_from(["active", "off", "suspended"]),
            connection_type=st.sampled_from(["hl7-fhir-rest", "other"]),
            payload_type=st.sampled_from(["bars", "other"]),
            period_end=st.sampled_from([None, NOW, NOW + DAY]),
        ),
        max_size=4,
    )
)
def test_it_is_found_exactly_when_one_is_usable(rows: list[Row]) -> None:
    usable = [row for row in rows if not why_unusable(row, now=NOW)]
    try:
        found = resolve(Target(True, rows), now=NOW)
    except SeveralEndpoints:
        assert len(usable) > 1
    except NoEndpoint:
        assert usable == []
    else:
        assert usable == [found]
