"""WSGI entry of portal and receiver (BARS_PROCESS says which)."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bars_portal.logging import take_over_printing
from bars_portal.tracing import set_up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bars_portal.settings.production")

take_over_printing()
application = get_wsgi_application()
set_up(settings.BARS_PROCESS, endpoint=settings.TRACES_ENDPOINT)

if settings.IS_RECEIVER:
    from bars_portal.exchange.receiver.warming import warm

    warm()
