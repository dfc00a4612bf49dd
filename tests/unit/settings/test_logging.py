"""Log lines that name nobody: what may be said at all, in both formats, whoever says it."""

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import orjson
import pytest
from celery import Celery
from celery.signals import before_task_publish
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from bars_portal import correlation
from bars_portal.logging import FIELDS, PlainFormatter, take_over_printing
from bars_portal.settings.base import LOGGING

SECRET = "Failing row contains (Zebedee, 9990548609)"
ID = "0d3f3e0a-8d3e-4a34-9d3e-2f6a1c5b7e90"
Say = Callable[..., None]
_NAMES = st.text(st.characters(whitelist_categories=("Lu", "Ll")), min_size=5).map(lambda name: f"Zq{name}")


class Heard:
    """What loggers wrote."""

    def __init__(self) -> None:
        self.stream = StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(PlainFormatter(lines=False))

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    found = Heard()
    for name in (
        "bars_portal.logging",
        "tests.foreign",
        "referrals.own",
        "celery.app.trace",
        "django.security",
    ):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "handlers", [found.handler])
        monkeypatch.setattr(logger, "propagate", False)
        monkeypatch.setattr(logger, "level", logging.DEBUG)
    correlation.forget()
    yield found
    correlation.forget()


def fail(text: str = SECRET) -> None:
    raise IntegrityError(text)


def chained(text: str) -> BaseException:
    """With a cause, a context, a note, and the text in a local variable of each frame."""
    person = text
    try:
        try:
            try:
                fail(person)
            except IntegrityError:
                int(person)
        except ValueError as error:
            raise RuntimeError(person) from error
    except RuntimeError as error:
        error.add_note(person)
        return error
    raise AssertionError


@given(_NAMES)
def test_no_way_into_a_line_lets_a_name_through(name: str) -> None:
    """The values of exceptions and of others' arguments, and fields that nobody listed."""
    error = chained(name)
    exc_info = (type(error), error, error.__traceback__)
    cases: list[tuple[str, str, Any, Any]] = [
        ("referrals.own", "failed", (), exc_info),
        ("referrals.own", "failed %s", (error,), None),
        ("referrals.own", error, (), None),  # type: ignore[list-item]  # what logger.error(error) passes
        ("django.request", "Internal Server Error: %s", (f"/Patient/{name}",), exc_info),
        ("celery.worker", "Received unknown: %s", (f"b'{name}'",), None),
        (
            "celery.app.trace",
            "Task %(name)s: %(exc)s %(args)s",
            ({"name": name, "exc": name, "args": [name]},),
            None,
        ),
        ("kombu", "%r", ({"body": name},), None),
        ("django.security.DisallowedHost", f"Invalid HTTP_HOST header: {name!r}.", (), None),
        ("celery.redirected", name, (), None),
        ("psycopg.pool", "%(x)", (name,), None),
    ]
    for formatter in (PlainFormatter(lines=False), PlainFormatter(lines=True)):
        for logger, message, args, info in cases:
            record = logging.LogRecord(logger, logging.ERROR, __file__, 1, message, args, info)
            record.patient, record.request = name, name
            record.exc_text = record.stack_info = name
            line = formatter.format(record)
            assert name not in line, line
            assert logger in line


def test_an_exception_is_its_types_and_their_places(heard: Heard) -> None:
    error = chained(SECRET)
    logging.getLogger("referrals.own").error("failed", exc_info=error)
    (event,) = heard.events
    lines = event["exception"].splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "builtins.RuntimeError",
        "builtins.ValueError",
        "django.db.utils.IntegrityError",
    ]
    assert any(line.endswith(" chained") for line in lines)


def test_ordinary_values_are_written(heard: Heard) -> None:
    own, foreign = logging.getLogger("referrals.own"), logging.getLogger("tests.foreign")
    own.info("%s in %d ms", "GET", 12)
    own.info("%(a)s", {"a": "b"})
    own.info("100 %")
    own.info("one\n%s", "line")
    foreign.info("Listening at: %s (%s)", "https://127.0.0.1:8443", 1234)
    foreign.info("Task %(name)s[%(id)s]", {"name": "bars_portal.audit.tasks.seal", "id": ID})
    assert [each["event"] for each in heard.events] == [
        "GET in 12 ms",
        "b",
        "100 %",
        "one line",
        "Listening at: https://127.0.0.1:8443 (1234)",
        f"Task bars_portal.audit.tasks.seal[{ID}]",
    ]
    assert {each["level"] for each in heard.events} == {"info"}


def test_listed_fields_stand_apart_in_json_and_not_again_in_lines() -> None:
    fields = {"method": "GET", "path": "/FHIR/R4/Slot", "status": 200, "milliseconds": 7}
    assert fields.keys() <= FIELDS
    record = logging.makeLogRecord(
        {"name": "gunicorn.access", "msg": "%(path)s", "args": (fields,), **fields}
    )
    event = orjson.loads(PlainFormatter(lines=False).format(record))
    assert {name: event[name] for name in fields} == fields
    assert "method=" not in PlainFormatter(lines=True).format(record)


def test_every_line_has_the_id_under_which_it_happened(heard: Heard) -> None:
    own = logging.getLogger("referrals.own")
    own.info("before")
    correlation.begin(ID)
    own.info("page")
    with correlation.within("the-message"):
        own.info("message")
    own.info("page")
    correlation.forget()
    own.info("after")
    assert [(each.get("correlation_id"), each.get("within")) for each in heard.events] == [
        (None, None),
        (ID, None),
        ("the-message", ID),
        (ID, None),
        (None, None),
    ]


def test_a_task_goes_by_the_id_of_who_asked_for_it_and_names_nobody(heard: Heard) -> None:
    """Celery writes the exception and the arguments of a failed task into the message itself."""
    app = Celery("logged", broker="memory://", set_as_current=False)
    ids = []

    @app.task(name="failing")  # type: ignore[untyped-decorator]  # Celery has no types
    def failing(patient: str) -> None:
        ids.append(correlation.current())
        fail()

    headers: dict[str, Any] = {}
    correlation.begin(ID)
    before_task_publish.send(sender="failing", headers=headers, body=None)
    correlation.forget()
    failing.apply(args=["Zebedee"], headers=headers)
    failing.apply(args=["Zebedee"], task_id="its-own")
    assert ids == [ID, "its-own"]
    assert correlation.current() == ""
    assert "IntegrityError" in heard.text
    assert "Zebedee" not in heard.text
    assert heard.events[0]["correlation_id"] == ID


def test_what_python_would_print_is_a_line_too(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (logging, "raiseExceptions"),
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
        (warnings, "showwarning"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    take_over_printing()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    error = chained(SECRET)
    sys.excepthook(type(error), error, error.__traceback__)
    warnings.showwarning(UserWarning(SECRET), UserWarning, "models.py", 7)
    assert [each["event"] for each in heard.events] == [
        "a thread ended by an exception",
        "the process ended by an exception",
        "UserWarning at models.py:7",
    ]
    assert "Zebedee" not in heard.text


def test_every_handler_uses_it() -> None:
    formats = {each["formatter"] for each in LOGGING["handlers"].values()}
    assert {LOGGING["formatters"][each]["()"] for each in formats} == {"bars_portal.logging.PlainFormatter"}
    for noisy in ("httpx", "django.db.backends", "django.request"):
        assert logging.getLevelName(LOGGING["loggers"][noisy]["level"]) >= logging.WARNING
