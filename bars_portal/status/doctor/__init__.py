"""The doctor: looks at all that an installation rests on, and says of each thing what to do about it."""

from bars_portal.status.doctor.machine import MACHINE
from bars_portal.status.doctor.partners import PARTNERS
from bars_portal.status.doctor.receiver import RECEIVER
from bars_portal.status.doctor.sender import SENDER

# In the order in which one thing rests on another.
EXAMINATIONS = (*MACHINE, *SENDER, *RECEIVER, *PARTNERS)
