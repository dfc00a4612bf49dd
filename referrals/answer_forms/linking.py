"""Which appointment, or which referral, goes with the one on the page."""

from collections.abc import Iterable, Sequence
from typing import Any

from bars_portal.nhsuk import dates
from bars_portal.nhsuk.forms import NHSForm, Option, RadiosField
from bookings.models import Booking
from directory.capability import use_cases_in_words
from referrals.models import Referral


class LinkForm(NHSForm):
    chosen = RadiosField(label="Which one goes with it?", options=[], missing="Select one")

    def __init__(self, *args: Any, options: Sequence[Option], label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["chosen"]
        field.label = label
        if isinstance(field, RadiosField):
            field.choices = field.offer(options)


def booking_options(bookings: Iterable[Booking]) -> list[Option]:
    return [
        Option(str(each.pk), dates.format_datetime(each.start), hint=_hint(each.service.name, each.reference))
        for each in bookings
    ]


def referral_options(referrals: Iterable[Referral]) -> list[Option]:
    return [
        Option(
            str(each.pk),
            next(iter(use_cases_in_words([each.use_case])), "Referral"),
            hint=_hint(
                f"{each.service.name}, received {dates.format_datetime(each.created_at)}", each.reference
            ),
        )
        for each in referrals
    ]


def _received(referral: Referral) -> str:
    return f"{referral.service.name}, received {dates.format_datetime(referral.created_at)}"


def _hint(words: str, reference: str) -> str:
    return f"{words}, reference {reference}" if reference else words
