"""Words that the states of bookings and of cases share. Pure."""

from enum import StrEnum


class Direction(StrEnum):
    SENT = "sent"
    RECEIVED = "received"
