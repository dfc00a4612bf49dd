"""One page."""

from django.urls import path

from bars_portal.status import views

app_name = "status"
urlpatterns = [path("", views.status, name="page")]
