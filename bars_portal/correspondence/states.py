"""What the states of bookings and of cases share. Pure."""

from enum import StrEnum


class Direction(StrEnum):
    SENT = "sent"
    RECEIVED = "received"


class TransitionRefused(Exception):
    """The event has no meaning in this status: another person or message was first."""
