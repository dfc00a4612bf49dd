"""Log lines that name nobody: the texts of exceptions stay out, wherever they come from."""

import logging
from io import StringIO
from typing import Any

import pytest
from celery import Celery
from django.db import IntegrityError

from bars_portal.logging import PlainFormatter
from bars_portal.settings.base import LOGGING

SECRET = "Failing row contains (Zebedee, 9990548609)"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> tuple[logging.Logger, StringIO]:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter("{levelname} {name} {message}", style="{"))
    logger = logging.getLogger("tests.plain")
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "propagate", False)
    logger.setLevel(logging.DEBUG)
    return logger, stream


def fail() -> None:
    raise IntegrityError(SECRET)


@pytest.mark.parametrize("words", ["plain", "one %s", "named %(error)s"])
def test_an_exception_is_its_type_and_its_places(
    written: tuple[logging.Logger, StringIO], words: str
) -> None:
    logger, stream = written
    try:
        fail()
    except IntegrityError as error:
        given: tuple[Any, ...] = {"plain": (), "one %s": (error,)}.get(words, ({"error": error},))
        logger.exception(words, *given)
    text = stream.getvalue()
    assert "Zebedee" not in text
    assert "django.db.utils.IntegrityError" in text
    assert "fail" in text


def test_a_cause_is_not_told_either(written: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = written
    try:
        try:
            fail()
        except IntegrityError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        logger.exception("both")
    assert "Zebedee" not in stream.getvalue()


def test_ordinary_values_are_written(written: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = written
    logger.info("%s in %d ms", "GET", 12)
    logger.info("%(a)s", {"a": "b"})
    logger.info("100 %")
    assert stream.getvalue().splitlines() == [
        "INFO tests.plain GET in 12 ms",
        "INFO tests.plain b",
        "INFO tests.plain 100 %",
    ]


def test_another_handlers_text_is_not_taken_over(written: tuple[logging.Logger, StringIO]) -> None:
    logger, stream = written
    logger.handlers.insert(0, logging.StreamHandler(StringIO()))
    try:
        fail()
    except IntegrityError:
        logger.exception("two handlers")
    assert "Zebedee" not in stream.getvalue()


def test_a_failed_task_names_nobody(
    written: tuple[logging.Logger, StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Celery writes the exception, the traceback and the arguments into the message itself."""
    logger, stream = written
    celery_log = logging.getLogger("celery.app.trace")
    monkeypatch.setattr(celery_log, "handlers", logger.handlers)
    monkeypatch.setattr(celery_log, "propagate", False)
    app = Celery("logged", broker="memory://", set_as_current=False)

    @app.task(name="failing")  # type: ignore[untyped-decorator]  # Celery has no types
    def failing(patient: str) -> None:
        fail()

    failing.apply(args=["Zebedee"])
    text = stream.getvalue()
    assert "failing" in text
    assert "IntegrityError" in text
    assert "Zebedee" not in text


def test_every_handler_uses_it() -> None:
    formats = {each["formatter"] for each in LOGGING["handlers"].values()}
    assert {LOGGING["formatters"][each]["()"] for each in formats} == {"bars_portal.logging.PlainFormatter"}
    for noisy in ("httpx", "django.db.backends", "django.request"):
        assert logging.getLevelName(LOGGING["loggers"][noisy]["level"]) >= logging.WARNING
