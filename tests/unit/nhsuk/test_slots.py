from datetime import UTC, date, datetime

from bars_portal.nhsuk.dates import SlotChoice, by_day


def _choice(value: str, day: int, hour: int) -> SlotChoice:
    return SlotChoice(value, datetime(2026, 7, day, hour, tzinfo=UTC))


def test_rows_are_london_days_in_order() -> None:
    days = by_day([_choice("b", 15, 9), _choice("late", 14, 23), _choice("a", 14, 9)])
    assert [row.day for row in days] == [date(2026, 7, 14), date(2026, 7, 15)]
    assert [choice.value for choice in days[1].morning] == ["late", "b"]


def test_noon_and_five_divide_the_day() -> None:
    (row,) = by_day(_choice(str(hour), 14, hour) for hour in (10, 11, 15, 16))
    assert [[choice.value for choice in choices] for _, choices in row.periods] == [
        ["10"],
        ["11", "15"],
        ["16"],
    ]
    assert row.count == 4


def test_no_slots_no_rows() -> None:
    assert by_day([]) == ()
