"""Below /api/v1/."""

from django.urls import re_path

from bookings.api import bookings, slots

_ONE = r"^bookings/(?P<booking_id>[0-9a-f]{8}-[0-9a-f-]{27})"

urlpatterns = [
    re_path(r"^slots/?$", slots.SlotsOfServices.as_view(), name="api-slots"),
    re_path(
        r"^services/(?P<service_id>[0-9]{1,20})/slots/?$",
        slots.SlotsOfService.as_view(),
        name="api-service-slots",
    ),
    re_path(r"^bookings/?$", bookings.BookingList.as_view(), name="api-bookings"),
    re_path(rf"{_ONE}/?$", bookings.OneBooking.as_view(), name="api-booking"),
    re_path(rf"{_ONE}/cancel/?$", bookings.Cancel.as_view(), name="api-booking-cancel"),
    re_path(rf"{_ONE}/rebook/?$", bookings.Rebook.as_view(), name="api-booking-rebook"),
    re_path(rf"{_ONE}/check-again/?$", bookings.CheckAgain.as_view(), name="api-booking-check-again"),
]
