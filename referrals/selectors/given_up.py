"""Messages of the organisation, of every kind, that were tried to the end without a clear answer."""

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.exchange.models import OutboundMessage
from bars_portal.exchange.selectors import given_up

PERMISSION = "exchange.see_given_up"


def given_up_messages(acting: Acting) -> QuerySet[OutboundMessage]:
    """The newest first."""
    if not acting.may(PERMISSION):
        return OutboundMessage.objects.none()
    return given_up(acting.organisation.pk)


def given_up_count(acting: Acting) -> int:
    return given_up_messages(acting).count()
