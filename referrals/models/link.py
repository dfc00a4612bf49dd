"""A booking that a person found to go with a referral, because no message says so."""

from django.db import models

from bars_portal.accounts.models import User
from bookings.models import Booking
from referrals.models.case import Referral


class BookingLink(models.Model):
    """Both were received by the same organisation. Whether it is live is told by both, as for any link."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="booking_links")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="referral_links")
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    made_by_label = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["referral", "booking"], name="booking_link_once")]

    def __str__(self) -> str:
        return f"{self.booking_id} goes with {self.referral_id}"
