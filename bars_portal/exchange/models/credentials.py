"""As whom each organisation is known on the BaRS network, and the access tokens that it was given."""

from typing import ClassVar

from django.db import models


class OrganisationConnection(models.Model):
    """An organisation's own application in one environment: ids and where its files lie, not what they hold.

    A connection that was revoked stays, so that nothing else is used in its place.
    """

    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(max_length=20)
    app_id = models.CharField("App ID", max_length=100, blank=True)
    key_id = models.CharField("key id (KID)", max_length=100)
    private_key_file = models.CharField(max_length=500)
    api_key_file = models.CharField(max_length=500)
    # Where replies to its messages go: MessageHeader.source.endpoint.
    service_id = models.CharField("reply address (service id)", max_length=20)
    # NHSD-Requesting-Software.
    software_instance = models.CharField(max_length=100)
    connected_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "environment"], name="connection_one_each")
        ]

    def __str__(self) -> str:
        return f"{self.key_id} in {self.environment}"


class AccessToken(models.Model):
    """One for each key of each application; a renewal is claimed by a short lease."""

    environment = models.CharField(max_length=20)
    key_id = models.CharField(max_length=100)
    # Which application: two organisations of one supplier may have keys of the same name. "": the one that
    # the environment variables describe.
    holder = models.CharField(max_length=80, default="", db_default="")
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
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "key_id", "holder"], name="token_once")
        ]

    def __str__(self) -> str:
        return f"{self.environment} {self.key_id}"
