"""Mail to staff, where an installation has a mail server. Never about a patient."""

import logging
from collections.abc import Iterable
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

logger = logging.getLogger(__name__)


def can_send() -> bool:
    return bool(settings.EMAIL_HOST)


def send(*, to: Iterable[str], subject: str, text: str) -> bool:
    """Never in a transaction: the server may take EMAIL_TIMEOUT. False when it did not take the message."""
    if not can_send():
        return False
    try:
        return bool(EmailMessage(subject, text, to=list(to)).send())
    except (OSError, SMTPException) as error:
        # Its words may repeat addresses.
        logger.warning("mail: not sent (%s)", type(error).__name__)
        return False
