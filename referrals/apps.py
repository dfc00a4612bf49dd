"""Referrals and validation requests, sent and received, with every reply to them."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"
    label = "referrals"
    verbose_name = "Referrals"

    def ready(self) -> None:
        from bars_portal.accounts.home import register
        from bars_portal.accounts.people.selectors import register as register_work
        from bars_portal.api import events
        from bars_portal.audit import presenters
        from bars_portal.patients.looks import question
        from bookings import ports
        from referrals.providers import (
            EVENT_KINDS,
            attention,
            booking_settled,
            companions,
            end_by_absence,
            ended_by_absence,
            owed_referral,
            trail_journeys,
            trail_subjects,
            unfinished_work,
            unsent_drafts,
            whole_booking,
        )
        from referrals.sending.renewing import renewal_of, renewal_progress
        from referrals.sending.selectors import standing_referral_id, standing_use_case, time_frame_of

        ports.basis.plug(standing_referral_id)
        ports.route.plug(standing_use_case)
        ports.time_frame.plug(time_frame_of)
        ports.companions.plug(companions)
        ports.ended_by_absence.plug(ended_by_absence)
        ports.end_by_absence.plug(end_by_absence)
        ports.renewal.plug(renewal_of)
        ports.renewal_progress.plug(renewal_progress)
        ports.settled.plug(booking_settled)
        ports.owed.plug(owed_referral)
        ports.whole_message.plug(whole_booking)
        presenters.register(
            {
                "referrals.view_case": "Opened a case",
                "referrals.export_case": "Saved a case as a file",
                "referrals.view_journey": "Opened a whole journey",
                "referrals.view_sent_message": "Opened a message that was sent",
                "referrals.view_worklist": "Opened the worklist",
                "referrals.view_sent_list": "Opened the list of referrals sent",
                "referrals.view_duties": "Opened the tasks from what was sent",
                "patients.view_known_patients": "Asked by an NHS number whom we know",
                "referrals.view_unmatched_reply": "Opened a reply that fits no request",
            }
        )
        events.register(*EVENT_KINDS)
        question.register_source(question.Source(trail_subjects, trail_journeys))
        register(attention)
        register(unsent_drafts)
        register_work(unfinished_work)
