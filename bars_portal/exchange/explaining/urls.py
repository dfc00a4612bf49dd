"""Messages explained: one that is pasted, and one of the log with its dry run."""

from django.urls import path

from bars_portal.exchange.explaining.views import message, paste

app_name = "explain"
urlpatterns = [
    path("explain/", paste, name="paste"),
    path("<uuid:message_id>/explain/", message, name="message"),
]
