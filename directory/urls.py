"""The directory's pages, under /services/."""

from django.urls import path

from directory.views import pause, pauses, search, service_page

app_name = "directory"

urlpatterns = [
    path("", search, name="search"),
    path("pauses/", pauses, name="pauses"),
    path("<str:service_id>/", service_page, name="service"),
    path("<str:service_id>/pause/", pause, name="pause"),
]
