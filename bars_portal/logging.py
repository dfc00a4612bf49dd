"""Log lines that cannot name a patient, as JSON or for people to read (LOG_FORMAT).

A name or a street in free text has no shape: it is kept out by what may be logged at all. Under that is a
net for what never leaves in a log line, found by its shape or by the name that stands beside it.
"""

import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from copy import copy
from http import HTTPStatus
from typing import Any

import orjson
from structlog.contextvars import merge_contextvars
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

from bars_portal.settings.environment import env

MARK = "[redacted]"

# Ids, and the fingerprints of certificates: every fifth has ten digits in a row.
_OF_OURS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f])(?=[0-9]*[a-f])[0-9a-f]{64}(?![0-9a-f])",
    re.IGNORECASE,
)
_LONGEST = 64

# Words of which one in a name means that its value is a person's or a secret.
_SENSITIVE = re.compile(
    r"passw|passphrase|secret|token|assertion|api.?key|authori[sz]ation|credential|cookie|session.?id|csrf"
    r"|private.?key|family|given|forename|surname|(?:first|last|full|patient).?name|patient|birth|dob$"
    r"|address|street|town|city|district|post.?code|postal|telecom|phone|mobile|email|nhs.?number"
    # Of FHIR, forms and Celery, when they are the whole name.
    r"|^(?:name|line|text|value|display|prefix|suffix|body|raw|args|kwargs)$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?<![\w.-])(?P<name>[\w.-]+)(?P<quote>[\"']?)\s*(?:=|:|%3[Dd])\s*")
_SAID_IN_SENTENCES = frozenset(
    {"line", "text", "value", "name", "body", "raw", "display", "prefix", "suffix"}
)
_VALUE = re.compile(r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^&;\n]*", re.DOTALL)
_BRACKETS = {"[": "]", "{": "}", "(": ")"}

# Numbers as people write them: in groups, as in an address, with signs that only look like a dash.
_GAP = r"(?:%20|&nbsp;|[\s\u200b\u2010-\u2015\u2212_+-])?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_NUMBERS = re.compile(
    rf"""(?<!\d)(?:
        \+?\d(?:{_GAP}\d){{9,14}}                               # NHS numbers, phones
        |\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}                    # days, year first
        |\d{{1,2}}[-/.\s]\d{{1,2}}[-/.\s]\d{{4}}                # day or month first
        |\d{{1,2}}(?:st|nd|rd|th)?[\s-](?i:{_MONTH})[\s,-]+\d{{4}}
        |\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:19|20)\d{{2}}         # what is left of "February 29, 1944"
        |(?:19|20)\d{{6}}
    )(?!\d)""",
    re.VERBOSE,
)
_POSTCODE = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{1,2}\d[A-Za-z\d]?(?:%20|[\s+_-])?"
    r"\d[ABD-HJLNP-UW-Zabd-hjlnp-uw-z]{2}(?![A-Za-z0-9])"
)
# By a word in small letters without which there is nothing to look for: the label stays, its value goes.
_BY_WORD = (
    ("-----begin", re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL), MARK),
    ("eyj", re.compile(r"eyJ[\w-]{4,}(?:\.[\w-]*){0,4}"), MARK),
    ("bearer ", re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+"), rf"\1 {MARK}"),
    ("basic ", re.compile(r"(?i)\b(basic)\s+[\w.~+/=-]+"), rf"\1 {MARK}"),
    ("://", re.compile(r"://[^/\s@]+@"), f"://{MARK}@"),
    ("@", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), MARK),
    # PostgreSQL's details of a row.
    ("row contains", re.compile(r"(?i)(row contains )\(.*", re.DOTALL), rf"\1{MARK}"),
    ("key (", re.compile(r"(?i)\b(key )\(.*", re.DOTALL), rf"\1{MARK}"),
)


def redact(text: str) -> str:
    """The text without numbers of patients, phones, days, postcodes, mail addresses, tokens, keys, passwords,
    and without whatever stands beside a name that announces a person or a secret.
    """
    if "=" in text or ":" in text or "%3D" in text or "%3d" in text:
        text = _without_labelled(text)
    small = text.lower()
    for word, rule, instead in _BY_WORD:
        if word in small:
            text = rule.sub(instead, text)
    return _POSTCODE.sub(MARK, _NUMBERS.sub(_number, text))


def _number(found: re.Match[str]) -> str:
    """Digits within an id or a fingerprint are none."""
    start = max(0, found.start() - _LONGEST)
    around = _OF_OURS.finditer(found.string, start, found.end() + _LONGEST)
    inside = any(each.start() <= found.start() and found.end() <= each.end() for each in around)
    return found[0] if inside else MARK


def _without_labelled(text: str) -> str:
    pieces, at = [], 0
    while label := _LABEL.search(text, at):
        pieces.append(text[at : label.end()])
        at = label.end()
        if _announces(label):
            at = _end_of_value(text, at)
            pieces.append(MARK)
    return "".join(pieces) + text[at:]


def _announces(label: re.Match[str]) -> bool:
    # A sentence may well say "line: 12"; a dictionary has its names in quotes, a query has a sign of its own.
    in_a_sentence = not label["quote"] and label[0].rstrip().endswith(":")
    if in_a_sentence and label["name"].lower() in _SAID_IN_SENTENCES:
        return False
    return _SENSITIVE.search(label["name"]) is not None


def _end_of_value(text: str, start: int) -> int:
    """A list or an object ends with its own bracket, or with the text."""
    opening = text[start : start + 1]
    if opening not in _BRACKETS:
        found = _VALUE.match(text, start)
        return found.end() if found else start
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == opening) - (text[place] == _BRACKETS[opening])
        if depth == 0:
            return place + 1
    return len(text)


# What `extra=` may add to a line; everything else that is put there stays out.
FIELDS = frozenset({"correlation_id", "method", "path", "status", "milliseconds", "message_id", "problem"})
# The line for people says these in its words.
_SPOKEN = ("method", "path", "status", "milliseconds")
_OWN = ("bars_portal", "bookings", "directory", "referrals", "manage")
# Our own workers speak with gunicorn's voice, and leave it no way to quote a request (server.mistakes).
_TRUSTED = (*_OWN, "gunicorn.")
# Their whole text is of others: the text of an exception that quotes a header, or what somebody printed.
_SAYS_TOO_MUCH = ("django.security", "celery.redirected", "py.warnings")
# Celery passes the text of a failed task's exception, its traceback and arguments as values of the message.
_CELERY = frozenset({"exc", "traceback", "args", "kwargs"})
# Of other people's arguments: ids, numbers, addresses of machines, names of tasks and modules.
_TECHNICAL = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,9}(\.\d+)?|(celery|kombu|gunicorn|django)(\.\w+)*"
    rf"|({'|'.join(_OWN)})\.[\w.]+|(\w+://)?(\d{{1,3}}\.){{3}}\d{{1,3}}(:\d+)?|SIG[A-Z]+|[A-Z]{{3,7}}"
)
# Django says an answer's in front of the path, and Celery what became of a task.
_PHRASES = frozenset({"raised unexpected", "raised expected", *(status.phrase for status in HTTPStatus)})
_LEFT_OUT = "(left out)"
# Places of one exception, and exceptions of one chain.
_MOST_PLACES, _MOST_CAUSES = 12, 4


class PlainFormatter(ProcessorFormatter):
    """structlog's formatter over what any logger of the process says."""

    def __init__(self, lines: bool | None = None) -> None:
        """`lines`: for people; None: as LOG_FORMAT says."""
        wanted = env.choice("LOG_FORMAT", ("json", "lines"), "json") == "lines" if lines is None else lines
        render: list[Processor] = [ProcessorFormatter.remove_processors_meta, _sorted]
        if wanted:
            render += [_without_spoken, ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)]
        else:
            render.append(JSONRenderer(serializer=_json))
        super().__init__(foreign_pre_chain=_CHAIN, processors=render, use_get_message=True)

    def format(self, record: logging.LogRecord) -> str:
        plain = copy(record)
        # Another handler's formatter may have left its own text here.
        plain.exc_text = plain.stack_info = None
        try:
            plain.msg, plain.args = _said(record)
            return super().format(plain)
        except Exception:  # noqa: BLE001 - logging itself would print the arguments
            plain.msg, plain.args, plain.exc_info = "a line that could not be written", (), None
            return super().format(plain)


def _said(record: logging.LogRecord) -> tuple[object, Any]:
    if record.name.startswith(_SAYS_TOO_MUCH):
        return _LEFT_OUT, ()
    own = record.name.startswith(_TRUSTED)
    message = type(record.msg).__qualname__ if isinstance(record.msg, BaseException) else record.msg
    if isinstance(record.args, Mapping):
        args = {
            name: _LEFT_OUT if name in _CELERY and not own else _plain(value, own=own)
            for name, value in record.args.items()
        }
        return message, args
    return message, tuple(_plain(value, own=own) for value in record.args or ())


def _plain(value: object, *, own: bool) -> object:
    if isinstance(value, BaseException):
        return type(value).__qualname__
    if own or value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else ""
    return text if text in _PHRASES or _TECHNICAL.fullmatch(text) else _LEFT_OUT


# -- structlog's processors


def _exception(_logger: Any, _name: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None) or event["_record"].exc_info
    if info and info[1] is not None:
        event["exception"] = places_of(info[1])
    return event


def places_of(error: BaseException) -> str:
    """Each type of the chain, the outermost first, with the places it passed. No text and no value of any."""
    return "\n".join(line for each in _chain(error) for line in _lines(each))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _lines(error: BaseException) -> Iterator[str]:
    kind = type(error)
    yield f"{kind.__module__}.{kind.__qualname__}"
    for frame in traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]:
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"


def _redacted(_logger: Any, _name: str, event: EventDict) -> EventDict:
    # One line an event: what was sent cannot forge a second one.
    event["event"] = redact(" ".join(str(event["event"]).splitlines()))
    for field in FIELDS & event.keys():
        if isinstance(event[field], str):
            event[field] = redact(event[field])
    return event


def _sorted(_logger: Any, _name: str, event: EventDict) -> EventDict:
    first = ("timestamp", "level", "logger", "event")
    return {name: event[name] for name in (*first, *(each for each in event if each not in first))}


def _without_spoken(_logger: Any, _name: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if name not in _SPOKEN}


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=lambda value: type(value).__qualname__).decode()


_CHAIN: list[Processor] = [
    merge_contextvars,
    add_logger_name,
    add_log_level,
    ExtraAdder(allow=FIELDS),
    TimeStamper(fmt="iso", utc=True),
    _exception,
    _redacted,
]


# -- what Python prints by itself

logger = logging.getLogger(__name__)


def take_over_printing() -> None:
    """What dies unheard, and warnings, are log lines as well: by itself Python prints their whole text."""
    logging.raiseExceptions = False
    sys.excepthook = lambda kind, error, trace: _unheard("the process", error)
    threading.excepthook = lambda died: _unheard("a thread", died.exc_value)
    sys.unraisablehook = lambda died: _unheard("a finaliser", died.exc_value)
    warnings.showwarning = _warned


def _unheard(where: str, error: BaseException | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    logger.critical("%s ended by an exception", where, exc_info=error)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    logger.warning("%s at %s:%d", category.__qualname__, filename, lineno)
