"""The status, certificates and keys, and the doctor."""

from django.urls import path

from bars_portal.status import views

app_name = "status"
urlpatterns = [
    path("", views.status, name="page"),
    path("certificates/", views.certificates, name="certificates"),
    path("doctor/", views.doctor, name="doctor"),
]
