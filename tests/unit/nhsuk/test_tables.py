"""Lists read as rows on a phone: what can be done with a row stood out of sight at the right."""

from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
# Read column against column, by day, on paper, or by engineers; or two columns that fit any window.
COMPARED = {
    "api/resource.jinja",
    "bookings/_plan_preview.jinja",
    "bookings/clinic_list.jinja",
    "bookings/compare.jinja",
    "bookings/diary.jinja",
    "components/slots.jinja",
    "directory/service.jinja",
    "exchange/explanation.jinja",
    "reports/_parts.jinja",
    "reports/index.jinja",
}
TABLES = sorted(
    str(each.relative_to(TEMPLATES))
    for each in TEMPLATES.rglob("*.jinja")
    if "<table" in each.read_text() and str(each.relative_to(TEMPLATES)) != "components/tables.jinja"
)


@pytest.mark.parametrize("name", TABLES)
def test_a_list_reads_as_rows_on_a_phone(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    stacked = text.count('<table role="table" class="nhsuk-table-responsive')
    assert (stacked == 0) if name in COMPARED else (stacked == text.count("<table")), name


def test_what_is_compared_is_there() -> None:
    assert set(TABLES) >= COMPARED
