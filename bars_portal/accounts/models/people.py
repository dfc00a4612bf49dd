"""People and the organisations they act for."""

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models

from bars_portal.accounts.permissions import Role

ods_code_validator = RegexValidator(r"^[A-Z0-9]{3,12}$", "Use 3 to 12 capital letters and digits.")


class Organisation(models.Model):
    """An organisation by its ODS code: the only organisation model in the project."""

    ods_code = models.CharField("ODS code", max_length=12, unique=True, validators=[ods_code_validator])
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.ods_code})"


class User(AbstractUser):
    """A person who signs in. What they may do comes from their memberships."""

    # SDS role profile id and SNOMED role, sent as NHSD-Requesting-Practitioner when known.
    sds_role_profile_id = models.CharField("SDS role profile id", max_length=20, blank=True)
    role_code = models.CharField("SNOMED role code", max_length=20, blank=True)
    role_display = models.CharField("SNOMED role", max_length=100, blank=True)
    # What somebody else changed about how they sign in: shown at their next sign-in, and then no more.
    sign_in_notice = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta(AbstractUser.Meta):
        pass


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
