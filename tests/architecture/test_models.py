"""Every model: a name for people, a place in the admin (or a reason why not), and no cascade from history."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models

OURS = {
    "accounts",
    "api",
    "audit",
    "patients",
    "exchange",
    "directory",
    "bookings",
    "referrals",
    "status",
    "onboarding",
}
# Reviewed: why these have no page of their own in the admin.
NOT_IN_ADMIN = {
    "accounts.KeptForm": "a person's own words, encrypted, for an hour",
    "accounts.AuthenticatorApp": "a secret",
    "accounts.AccessReview": "on the page of people; each is in the audit trail",
    "accounts.BreakGlass": "on the pages of who reviews it; each is in the audit trail",
    "accounts.Invitation": "on the page of people",
    "accounts.Passkey": "on the page of its person",
    "accounts.RecoveryCode": "a secret, of which a digest is kept",
    "accounts.SignedInSession": "on the page of its person, and lasts as long as a sign-in",
    "accounts.Cis2Identity": "shown with its person",
    "accounts.Cis2Session": "lasts as long as a sign-in",
    "accounts.Membership": "shown with its person",
    "api.ApiToken": "a secret, of which a digest is kept, for ten minutes",
    "api.ApplicationUsage": "on the page of its application",
    "api.Event": "thousands a day, for programs; what they are about has pages of its own",
    "api.EventStream": "two numbers of an organisation's events",
    "api.WebhookAttempt": "shown with its delivery",
    "api.ApplicationSecret": "a secret, of which a digest is kept; its end is shown with its application",
    "api.KeyedRequest": "what an application sent, with an encrypted answer, for a day",
    "api.SpentAssertion": "a digest, for some minutes",
    "audit.Pruning": "hashes: manage.py verify_audit tells what they say",
    "audit.Seal": "hashes: manage.py verify_audit tells what they say",
    "audit.SealerNote": "the sealer's own, for some seconds",
    "exchange.AccessToken": "a secret",
    "exchange.OrganisationConnection": "changed at the onboarding desk, which proves the key first",
    "exchange.CircuitChange": "shown with its partner, in the message log",
    "exchange.DeadLetterDecision": "shown with the messages that need a person",
    "exchange.Resending": "the same",
    "exchange.Heartbeat": "the worker's own, every few seconds: the status page tells how old it is",
    "onboarding.Onboarding": "on the onboarding desk",
    "onboarding.SigningKey": "on the onboarding desk, and in the public key set",
    "onboarding.StepRecord": "on the onboarding desk; each is in the audit trail",
    "status.Condition": "shown on the status page",
    "status.ExpiryAlarm": "that a mail went out; the page of certificates shows what ends",
    "exchange.DeliveryAttempt": "shown with its message",
    "exchange.SeenCertificate": "shown with the partners, in the message log",
    "exchange.Unmasking": "the report of unmasked messages shows them",
    "bookings.BookingDraft": "a person's own work in progress",
    "bookings.BookingStatusChange": "shown with its booking",
    "bookings.Clinic": "the pages of clinics",
    "bookings.ClinicRun": "on the page of its clinic",
    "bookings.DiaryBlock": "in the diary, which frees it too",
    "bookings.CapacityAlarm": "a setting, with how it stands; the page of alarms sets and removes it",
    "bookings.DiaryFeed": "a secret, of which a digest is kept; the page of feeds closes it",
    "bookings.Rebooking": "shown with its booking",
    "bookings.WaitingEntry": "on the waiting list of its service; each change by hand is in the audit trail",
    "bookings.SenderCall": "on the page of its booking, and in the list of calls to make",
    "directory.CatalogueChange": "shown with its catalogue",
    "directory.Postcode": "millions of rows, replaced by an import",
    "patients.Contact": "shown with its patient",
    "referrals.BookingLink": "shown with its referral and its booking; each change is in the audit trail",
    "referrals.CaseAnswer": "shown with its case",
    "referrals.CaseNote": "words about a patient between colleagues: on the case's page only",
    "referrals.CaseReply": "shown with its case",
    "referrals.CaseStatusChange": "shown with its case",
    "referrals.ContactAttempt": "words about a patient between colleagues: on the case's page only",
    "referrals.Duty": "on the pages of who sees to it; each change is in the audit trail",
    "referrals.PlaceRecord": "where a patient is: on the case's page only",
    "referrals.RequestDraft": "a person's own work in progress",
    "referrals.Rereferral": "two cases that have pages of their own",
    "referrals.SavedFilter": "a person's own",
    "referrals.CaseVersion": "what a case said at one time: its messages are in the log",
}


def ours() -> list[type[models.Model]]:
    return [each for each in apps.get_models() if each._meta.app_label in OURS]


@pytest.mark.parametrize("model", ours(), ids=lambda each: each._meta.label)
def test_it_has_a_name_for_people(model: type[models.Model]) -> None:
    assert model.__str__ is not models.Model.__str__


@pytest.mark.parametrize("model", ours(), ids=lambda each: each._meta.label)
def test_it_is_in_the_admin_or_reviewed(model: type[models.Model]) -> None:
    assert (model in admin.site._registry) is (model._meta.label not in NOT_IN_ADMIN)


def test_the_reviewed_list_names_only_what_exists() -> None:
    assert set(NOT_IN_ADMIN) <= {each._meta.label for each in ours()}


@pytest.mark.parametrize("label", ["bookings.Booking", "patients.Patient", "exchange.OutboundMessage"])
def test_a_record_does_not_vanish_with_what_it_names(label: str) -> None:
    for field in apps.get_model(label)._meta.get_fields():
        if isinstance(field, models.ForeignKey):
            assert field.remote_field.on_delete is not models.CASCADE, field.name
