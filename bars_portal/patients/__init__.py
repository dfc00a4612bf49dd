"""Patients, their contacts, and the journeys that messages belong to."""
