"""Where an entry of the directory came from."""

from django.db import models


class Source(models.TextChoices):
    LOCAL = "local", "Entered here"
    ROUTES = "routes", "Proxy catalogue (JSON)"
    CSV = "csv", "List of local services (CSV)"
    API = "api", "Endpoint Catalogue API"
