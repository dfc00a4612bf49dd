"""booking-request with an Appointment entered in error: it never should have been; the slot is given back."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import AppointmentStatus, MessageEvent, MessageReason
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.registry import Applied, MessageType, register_message
from bookings import mapping
from bookings.mapping import ReceivedBooking
from bookings.services.ending import receive_end
from bookings.states import BookingEvent


@register_message
class BookingEnteredInError(MessageType):
    """Received only: our own people cancel, which says the same to the receiver's diary."""

    key = "booking-entered-in-error"
    label = "Booking entered in error"
    event = MessageEvent.BOOKING_REQUEST
    reasons = frozenset({MessageReason.UPDATE, MessageReason.NEW})
    focus_type = "Appointment"
    focus_statuses = frozenset({AppointmentStatus.ENTERED_IN_ERROR.value})
    definition = Definition.BOOKING_REQUEST_CANCELLED

    def parse(self, bundle: MessageBundle) -> ReceivedBooking:
        return mapping.parse_booking(bundle)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        event = BookingEvent.RECEIVE_ENTERED_IN_ERROR
        _, answer = receive_end(received=parsed, event=event, context=context)
        return Applied(focus=(parsed.url, answer))
