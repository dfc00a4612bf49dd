"""Sign-in and out, and the organisation that a person acts for."""

from django.urls import path

from bars_portal.accounts.break_glass import views as break_glass
from bars_portal.accounts.cis2 import views as cis2
from bars_portal.accounts.people import views as people
from bars_portal.accounts.second_factor import views as second_factor
from bars_portal.accounts.security import (
    change_password,
    end_session,
    remove_factor,
    renew_recovery_codes,
    security,
)
from bars_portal.accounts.views import choose_organisation, keep_alive, keep_form, sign_in, sign_out

app_name = "accounts"
urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-out/", sign_out, name="sign-out"),
    path("cis2/", cis2.start, name="cis2-start"),
    path("cis2/callback/", cis2.callback, name="cis2-callback"),
    path("cis2/logout/", cis2.back_channel_logout, name="cis2-logout"),
    path("keep-alive/", keep_alive, name="keep-alive"),
    path("keep-form/", keep_form, name="keep-form"),
    path("change-password/", change_password, name="change-password"),
    path("second-factor/", second_factor.second_step, name="second-factor"),
    path("second-factor/set-up/", second_factor.set_up, name="set-up"),
    path("second-factor/set-up/app/", second_factor.add_app, name="add-app"),
    path("second-factor/set-up/passkey/", second_factor.add_passkey, name="add-passkey"),
    path("confirm/", second_factor.confirm, name="confirm"),
    path("security/", security, name="security"),
    path("security/remove/", remove_factor, name="remove-factor"),
    path("security/recovery-codes/", renew_recovery_codes, name="renew-recovery-codes"),
    path("security/end-session/", end_session, name="end-session"),
    path("people/", people.people, name="people"),
    path("people/file/", people.as_csv, name="people-csv"),
    path("people/review/", people.review, name="review-access"),
    path("people/invite/", people.invite, name="invite"),
    path("people/invitations/<int:invitation_id>/withdraw/", people.withdraw, name="withdraw-invitation"),
    path("people/<int:person_id>/", people.person, name="person"),
    path("people/<int:person_id>/leave/", people.leave, name="leave"),
    path(
        "people/<int:person_id>/second-factor/",
        people.reset_second_factor,
        name="person-reset-second-factor",
    ),
    path("people/<int:person_id>/sessions/", people.end_sessions, name="person-end-sessions"),
    path("break-glass/", break_glass.start, name="break-glass"),
    path("break-glass/end/", break_glass.end, name="end-break-glass"),
    path("break-glass/uses/", break_glass.uses, name="break-glass-uses"),
    path("break-glass/uses/<uuid:break_glass_id>/", break_glass.use, name="break-glass-use"),
    path("invitation/", people.accept_invitation, name="accept-invitation"),
    path("choose-organisation/", choose_organisation, name="choose-organisation"),
]
