"""What the worklist shows and in which order: kept in its address, so that a list can be bookmarked."""

from datetime import datetime
from typing import Any

from bars_portal.accounts.acting import Acting
from bars_portal.nhsuk.forms import NHSForm, SelectField, TextField
from referrals.cases.codes import PRIORITIES
from referrals.cases.words import FLAGS
from referrals.worklist.models import NAME_LENGTH
from referrals.worklist.query import CASES, Filters, Held, Kind, Order
from referrals.worklist.selectors import day_begins, services_with_cases

_EVERYTHING = "everything"
# Open, past its time, and with an answer in trouble.
_LATE, _TROUBLED = "late", "troubled"
_STANDS = {"": True, _LATE: True, "closed": False, "all": None, _TROUBLED: None}
_ORDERS = [("", "Due first"), (Order.PRIORITY.value, "Most urgent first"), (Order.AGE.value, "Oldest first")]


class WorklistForm(NHSForm):
    """An answer that makes no sense is left out."""

    service = SelectField(label="Service", options=[], empty_text="All services", required=False)
    kind = SelectField(
        label="Kind",
        options=[
            ("", "Referrals and validation requests"),
            (Kind.REFERRAL.value, "Referrals"),
            (Kind.VALIDATION.value, "Validation requests"),
            (Kind.BOOKING.value, "Bookings"),
            (_EVERYTHING, "Everything together"),
        ],
        required=False,
    )
    state = SelectField(
        label="State",
        options=[
            ("", "Open"),
            (_LATE, "Open and past its time"),
            ("closed", "Closed"),
            ("all", "Open and closed"),
            (_TROUBLED, "With an answer that may not have arrived"),
        ],
        required=False,
    )
    priority = SelectField(
        label="Priority", options=list(PRIORITIES.items()), empty_text="Any priority", required=False
    )
    flag = SelectField(label="Warning", options=list(FLAGS.items()), empty_text="Any", required=False)
    held = SelectField(
        label="Taken by",
        options=[("", "Anybody"), ("me", "Me"), (Held.NOBODY.value, "Nobody yet")],
        required=False,
    )
    order = SelectField(label="Order", options=_ORDERS, required=False)

    def __init__(self, *args: Any, acting: Acting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acting = acting
        field = self.fields["service"]
        if isinstance(field, SelectField):
            named = [(each.service_id, each.name) for each in services_with_cases(acting)]
            field.choices = field.offer([("", "All services"), *named])

    def chosen(self) -> dict[str, str]:
        """What is chosen, by field; "" for what is not, or makes no sense."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        return {name: cleaned.get(name) or "" for name in self.fields}

    def kinds(self) -> tuple[Kind, ...]:
        chosen = self.chosen()["kind"]
        if chosen == _EVERYTHING:
            return tuple(Kind)
        return (Kind(chosen),) if chosen else CASES

    def filters(self, now: datetime, *, only_services: tuple[str, ...] = ()) -> Filters:
        chosen = self.chosen()
        mine = chosen["held"] == "me"
        return Filters(
            open=_STANDS[chosen["state"]],
            service_id=chosen["service"],
            kinds=self.kinds(),
            bookings_from=day_begins(now),
            priority=chosen["priority"],
            flag=chosen["flag"],
            held=Held.PERSON if mine else Held(chosen["held"] or Held.ANYBODY),
            person_id=self.acting.user.pk if mine else None,
            breached_at=now if chosen["state"] == _LATE else None,
            troubled=chosen["state"] == _TROUBLED,
            only_services=only_services,
        )

    def ordering(self) -> Order:
        return Order(self.chosen()["order"] or Order.BREACH)


class FilterNameForm(NHSForm):
    name = TextField(
        label="Name of the filter",
        hint="Only you see it. Do not name a patient.",
        missing="Enter a name for the filter",
        max_length=NAME_LENGTH,
        width=30,
        autocomplete="off",
    )
