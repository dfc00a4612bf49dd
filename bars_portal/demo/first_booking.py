"""A booking of the onboarded organisation: out with its own key, through the proxy, in by its certificate."""

import sys
from datetime import timedelta


def main() -> int:
    import django

    django.setup()
    from django.utils import timezone

    from bars_portal.correspondence.states import Direction
    from bars_portal.demo.onboarding import SERVICE
    from bars_portal.exchange.gateway.client import get_client
    from bars_portal.sender_drill.desk import Desk, patient, person, settle
    from bookings.models import Booking
    from bookings.services.requesting import open_draft, request_booking
    from bookings.slots import search_slots
    from directory.selectors.services import service_by_id

    now, clinician = timezone.now(), person("clinician")
    desk = Desk(clinician, clinician, get_client(), timezone.now)
    service = service_by_id(SERVICE.service_id)
    if service is None:
        print("There is no such service.", file=sys.stderr)
        return 1
    found = search_slots(
        desk.client, service=service, start=now, end=now + timedelta(days=3), sender=desk.sender, now=now
    )
    if not found.offers:
        print("The receiver offered no times.", file=sys.stderr)
        return 1
    draft = open_draft(acting=clinician, service=service, use_case="a1t2", chosen=found.offers[0], now=now)
    sent = request_booking(draft=draft, details=patient(""), acting=clinician, now=now)
    settle(sent, desk)
    received = Booking.objects.filter(direction=Direction.RECEIVED, service=service).first()
    if sent.status != "booked" or received is None:
        print(f"The booking is {sent.status}: {sent.explanation}", file=sys.stderr)
        return 1
    print(f"booking        Booked: sent as {sent.pk}, received as {received.pk}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
