"""WSGI entry of portal and receiver (BARS_PROCESS says which)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bars_portal.settings.production")

application = get_wsgi_application()

if os.environ.get("BARS_PROCESS") == "receiver":
    from bars_portal.exchange.receiver.warming import warm

    warm()
