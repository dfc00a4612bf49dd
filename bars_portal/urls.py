"""The portal's pages."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from bars_portal import health
from bars_portal.accounts.home import home

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("accounts/", include("bars_portal.accounts.urls")),
    path("services/", include("directory.urls")),
    path("bookings/", include("bookings.urls")),
    path("referrals/", include("referrals.urls")),
    path("messages/", include("bars_portal.exchange.explaining.urls")),
    path("messages/", include("bars_portal.exchange.message_log.urls")),
    path("trail/", include("bars_portal.patients.looks.urls")),
    path("status/", include("bars_portal.status.urls")),
    path("reports/", include("bars_portal.reports.urls")),
    path("onboarding/", include("bars_portal.onboarding.urls")),
    path("api/", include("bars_portal.api_urls")),
    path("admin/", admin.site.urls),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]

handler400 = "bars_portal.nhsuk.pages.handler400"
handler403 = "bars_portal.nhsuk.pages.handler403"
handler404 = "bars_portal.nhsuk.pages.handler404"
handler500 = "bars_portal.nhsuk.pages.handler500"
