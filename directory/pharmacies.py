"""What to know before a patient is sent to a pharmacy (standard section 9, workflow 5). Pure.

A pharmacy sees patients who walk in, without a time: whether it is open when they arrive decides.
"""

from datetime import datetime, timedelta

from directory.opening import OpeningState, when

# A patient needs time to get there, and the pharmacist time to see them.
CLOSING_SOON = timedelta(hours=1)


def pharmacy_note(state: OpeningState, *, now: datetime) -> str:
    """A sentence about closing and next opening, or "" when the patient can simply go."""
    if state.open_now is None or state.changes_at is None:
        return "" if state.open_now else "Phone the pharmacy before you send a patient there."
    if not state.open_now:
        return f"This pharmacy is closed. Tell the patient that it opens {when(state.changes_at, now)}."
    left = state.changes_at - now
    if left > CLOSING_SOON:
        return ""
    minutes = max(int(left.total_seconds() // 60), 1)
    then = f" It opens again {when(state.reopens_at, now)}." if state.reopens_at else ""
    return f"This pharmacy closes in {minutes} minute{'' if minutes == 1 else 's'}.{then}"
