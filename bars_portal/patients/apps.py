"""Patients, their contacts, and the journeys that messages belong to."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "bars_portal.patients"
    label = "patients"
    verbose_name = "Patients"
