"""The directory's pages, under /services/."""

from django.urls import path

from directory.views import search, service_page

app_name = "directory"

urlpatterns = [path("", search, name="search"), path("<str:service_id>/", service_page, name="service")]
