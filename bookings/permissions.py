"""Which permission shows which bookings; roles.py says who has it."""

from bars_portal.correspondence.states import Direction

VIEW: dict[str, str] = {
    Direction.SENT.value: "bookings.view_sent_bookings",
    Direction.RECEIVED.value: "bookings.view_received_bookings",
}
