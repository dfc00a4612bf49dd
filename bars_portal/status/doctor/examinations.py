"""All examinations, in the order in which one thing rests on another."""

from bars_portal.status.doctor.machine import MACHINE
from bars_portal.status.doctor.partners import PARTNERS
from bars_portal.status.doctor.receiver import RECEIVER
from bars_portal.status.doctor.sender import SENDER

EXAMINATIONS = (*MACHINE, *SENDER, *RECEIVER, *PARTNERS)
