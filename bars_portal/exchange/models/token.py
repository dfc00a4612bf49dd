"""The shared access token: one row per environment and key (design: claimed by a short lease)."""

from django.db import models


class AccessToken(models.Model):
    environment = models.CharField(max_length=20)
    key_id = models.CharField(max_length=100)
    ciphertext = models.BinaryField(null=True)
    expires_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_holder = models.UUIDField(null=True)
    generation = models.PositiveIntegerField(default=0)
    # How far the token server's clock is ahead of the one that last asked it, in seconds; None: not told yet.
    server_ahead = models.IntegerField(null=True)
    # Since when each attempt to renew it has failed; None: the last one did not.
    failing_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "key_id"], name="token_once")]

    def __str__(self) -> str:
        return f"{self.environment} {self.key_id}"
