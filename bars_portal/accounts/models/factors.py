"""What somebody proves with, beside the password, who they are."""

from django.db import models

from bars_portal.accounts.models.people import User


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
