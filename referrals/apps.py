"""Referrals and validation requests, sent and received, with every reply to them."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"
    label = "referrals"
    verbose_name = "Referrals"

    def ready(self) -> None:
        from bars_portal.accounts.attention import register
        from bookings.basis import register_basis
        from bookings.companions import register_companions
        from bookings.time_frames import register_time_frames
        from bookings.whole_messages import register_whole_messages
        from referrals.attention import attention
        from referrals.companions import companions
        from referrals.drafts_attention import unsent_drafts
        from referrals.selectors import standing_referral_id, time_frame_of
        from referrals.whole_bookings import whole_booking

        register_basis(standing_referral_id)
        register_companions(companions)
        register_time_frames(time_frame_of)
        register_whole_messages(whole_booking)
        register(attention)
        register(unsent_drafts)
