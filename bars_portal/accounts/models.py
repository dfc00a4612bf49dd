"""People and where they belong, how they prove who they are, and what is known of their access."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Concat, Lower

from bars_portal.accounts.permissions import Role

ods_code_validator = RegexValidator(r"^[A-Z0-9]{3,12}$", "Use 3 to 12 capital letters and digits.")


class Organisation(models.Model):
    """An organisation by its ODS code: the only organisation model in the project."""

    ods_code = models.CharField("ODS code", max_length=12, unique=True, validators=[ods_code_validator])
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["name"]
        # Also the order of staff lists of what an organisation runs.
        indexes = [models.Index(fields=["name", "-id"], name="organisation_list")]

    def __str__(self) -> str:
        return f"{self.name} ({self.ods_code})"


class NameKey(models.Func):
    """`bars_portal.values.name_key` in SQL: "" where more than ASCII is left without accents."""

    template = (
        "regexp_replace(regexp_replace(lower(regexp_replace("
        r"normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g')), "
        r"'[\s!-/:-@\[-`{-~\u2010-\u201f]', '', 'g'), '.*[^ -~].*', '')"
    )
    arity = 1
    output_field = models.TextField()


_NAMED_BY = ("username", "first_name", "last_name", "email")


def _with_blanks(*names: str) -> Iterator[Any]:
    for name in names:
        yield models.F(name)
        yield models.Value(" ")


class User(AbstractUser):
    """A person who signs in. What they may do comes from their memberships."""

    # SDS role profile id and SNOMED role, sent as NHSD-Requesting-Practitioner when known.
    sds_role_profile_id = models.CharField("SDS role profile id", max_length=20, blank=True)
    role_code = models.CharField("SNOMED role code", max_length=20, blank=True)
    role_display = models.CharField("SNOMED role", max_length=100, blank=True)
    # What somebody else changed about how they sign in: shown at their next sign-in, and then no more.
    sign_in_notice = models.CharField(max_length=300, blank=True, default="", db_default="")

    # What the administration searches in: a part of it is found in a twentieth of the time that four fields
    # take, whose every value would be written in capitals.
    found_by = models.GeneratedField(
        expression=Lower(Concat(*_with_blanks(*_NAMED_BY), output_field=models.TextField())),
        output_field=models.TextField(),
        db_persist=True,
    )
    name_key = models.GeneratedField(
        expression=NameKey(Concat("first_name", "last_name")),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta(AbstractUser.Meta):
        indexes = [
            # An organisation's list of people, with what says who is on it besides its members.
            models.Index(
                fields=["last_name", "first_name", "username"],
                include=["id", "is_superuser", "is_active"],
                name="user_by_name",
            )
        ]

    def __str__(self) -> str:
        """As colleagues read it: what they sign in with says it where no name is known."""
        return self.get_full_name() or self.get_username()


class Cis2Identity(models.Model):
    """The CIS2 user id of a person: who signs in with it is this person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="cis2_identities")
    # As the issuer names itself; a user id means nothing elsewhere.
    issuer = models.URLField("CIS2 issuer", max_length=300)
    subject = models.CharField("CIS2 user id", max_length=255)

    class Meta:
        verbose_name, verbose_name_plural = "CIS2 identity", "CIS2 identities"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="cis2_identity_once"),
            models.UniqueConstraint(fields=["user", "issuer"], name="cis2_one_identity_each"),
        ]

    def __str__(self) -> str:
        return self.subject


class Cis2Session(models.Model):
    """Which of our sessions belongs to which session of CIS2, so that a back-channel logout finds it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(max_length=300)
    sid = models.CharField(max_length=255, blank=True)
    session_key = models.CharField(max_length=40, unique=True)
    started_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["issuer", "sid"], name="cis2_session_sid")]

    def __str__(self) -> str:
        return f"CIS2 session of {self.user_id}"


class SignedInSession(models.Model):
    """Where somebody is signed in, in words that they know it by.

    When it was last used, the session itself knows.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="signed_in_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(max_length=80)
    address = models.GenericIPAddressField(null=True)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"a session of {self.user.username}"


class Membership(models.Model):
    """A person's role in one organisation; they act for one organisation at a time."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=[(role.value, role.label) for role in Role])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user.username}: {Role(self.role).label}"


ADDRESS_LENGTH = 500


class KeptForm(models.Model):
    """What somebody sent after their session had ended: theirs alone, not for long (accounts.late_forms)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # Paths of ours: the page that the form stood on (with its query), and where the form was sent.
    page = models.CharField(max_length=ADDRESS_LENGTH)
    action = models.CharField(max_length=ADDRESS_LENGTH)
    # The fields as they were typed, URL-encoded and encrypted.
    sealed = models.BinaryField()
    kept_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "action"], name="one_kept_form_a_page"),
        ]

    def __str__(self) -> str:
        return f"a form of {self.user.username}"


class AuthenticatorApp(models.Model):
    """One-time codes by time (TOTP) from an app on somebody's phone."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator_app")
    # The secret, encrypted (bars_portal.sealing).
    sealed = models.BinaryField()
    # The last period of 30 s whose code was used: only later ones count.
    last_period = models.BigIntegerField()
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"the authenticator app of {self.user.username}"


class Passkey(models.Model):
    """A WebAuthn credential; all of it is public."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    credential_id = models.BinaryField(unique=True)
    # Authenticator, credential id and public key, as the authenticator attested them.
    credential = models.BinaryField()
    # A copy of the key would count by itself: the number may not go back.
    sign_count = models.BigIntegerField()
    added_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"a passkey of {self.user.username}"


class RecoveryCode(models.Model):
    """Lets its owner in once, without app and passkey."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"a recovery code of {self.user.username}"


_ROLES = [(role.value, role.label) for role in Role]


class Invitation(models.Model):
    """A link by which somebody makes an account of their own, once and not for long."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=12, choices=_ROLES)
    username = models.CharField(max_length=150)
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    # The link holds the token, the database only this: who reads it invites nobody.
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Accepted or withdrawn.
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"invitation of {self.username}"


class AccessReview(models.Model):
    """Somebody looked over who can do what in an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()
    people = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "-reviewed_at"], name="access_review_latest")]

    def __str__(self) -> str:
        return f"access review of {self.organisation_id}"


class BreakGlass(models.Model):
    """Reading more of one's own organisation than one's roles allow, for a reason and for a short time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    # It may tell of a patient: on the page of who reviews it, and nowhere else.
    reason = models.TextField()
    started_at = models.DateTimeField()
    # Earlier than planned when they ended it themselves.
    ends_at = models.DateTimeField()
    # When who reviews it was mailed.
    mailed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "reviewed_at"], name="break_glass_unreviewed")]

    def __str__(self) -> str:
        return f"break-glass of {self.user_id}"
