"""What the access log says of a path: nothing that somebody may have put there by mistake."""

import pytest

from bars_portal.exchange.receiver.server.access_log import loggable

ID = "0d3f3e0a-8d3e-4a34-9d3e-2f6a1c5b7e90"


@pytest.mark.parametrize(
    ("path", "status", "logged"),
    [
        (f"/bookings/{ID}/cancel/", 200, f"/bookings/{ID}/cancel/"),
        ("/bookings/9449306621", 404, "/bookings/..."),
        ("/referrals/Quill", 301, "/referrals/..."),
        ("/services/Ada%20Quill", 302, "/services/..."),
        ("/Quill", 302, "/..."),
        ("/accounts/sign-in/", 302, "/accounts/sign-in/"),
        (f"/admin/exchange/inboundmessage/{ID}/change/", 403, "/admin/..."),
        ("/FHIR/R4/Appointment/9449306621", 400, "/FHIR/R4/Appointment/..."),
    ],
)
def test_only_what_is_ours_is_logged(path: str, status: int, logged: str) -> None:
    assert loggable(path, status) == logged
