"""Referrals and validation requests, sent and received, with every reply to them."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"
    label = "referrals"
    verbose_name = "Referrals"

    def ready(self) -> None:
        from bars_portal.accounts.home import register
        from bookings import ports
        from referrals.providers import attention, companions, unsent_drafts, whole_booking
        from referrals.sending.selectors import standing_referral_id, time_frame_of

        ports.basis.plug(standing_referral_id)
        ports.time_frame.plug(time_frame_of)
        ports.companions.plug(companions)
        ports.whole_message.plug(whole_booking)
        register(attention)
        register(unsent_drafts)
