"""/simulator/...: health, the switch for fault drills, reset, the tables. Loopback only; not part of BaRS."""

import ipaddress
from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

import orjson

from bars_portal.simulator.faults import MOST_SECONDS, MOST_TIMES, Drill, Fault, FaultBoard
from bars_portal.simulator.tkw.tables import scenarios
from bars_portal.simulator.wire import JSON_MEDIA, Answer, Request, json_answer

PREFIX = "/simulator/"
FORM_MEDIA = "application/x-www-form-urlencoded"
METHODS = {
    "health": ("GET", "HEAD"),
    "faults": ("GET", "POST", "DELETE"),
    "reset": ("POST",),
    "scenarios": ("GET",),
}
Reset = Callable[[str | None], None]


class Drills:
    """Answers what lies under PREFIX; `possible` are the faults that can be played here."""

    def __init__(self, faults: FaultBoard, *, reset: Reset, possible: frozenset[Fault]) -> None:
        self._faults = faults
        self._reset = reset
        self._possible = possible

    def answer(self, request: Request) -> Answer:
        """2xx or 303 when done, 400 with what is wrong, 404 for strangers and unknown paths, 405."""
        place, _, service = request.raw_path.removeprefix(PREFIX).partition("/")
        if not _is_loopback(request.peer) or place not in METHODS or (service and place != "faults"):
            return json_answer(404, {"error": "not found"})
        if request.method not in METHODS[place]:
            return json_answer(405, {"error": "method not allowed"})
        match place, request.method:
            case "faults", "POST":
                return self._arm(request)
            case "faults", "DELETE":
                self._faults.clear(service or None)
                return Answer(204)
            case "faults", _:
                return json_answer(200, [asdict(drill) for drill in self._faults.armed()])
            case "reset", _:
                return self._reset_now(request)
            case "scenarios", _:
                return json_answer(200, [asdict(row) for row in scenarios()])
        return json_answer(200, {"status": "ok"})

    def _arm(self, request: Request) -> Answer:
        # A web page cannot send this content type to another origin without asking first.
        if _media(request) != JSON_MEDIA:
            return json_answer(415, {"error": f"send {JSON_MEDIA}"})
        try:
            drill = _drill(request.body)
        except ValueError:
            return json_answer(400, {"error": _HELP})
        if drill.fault not in self._possible:
            return json_answer(400, {"error": "start the simulator with --ca-key for this drill"})
        self._faults.arm(drill)
        return json_answer(201, asdict(drill))

    def _reset_now(self, request: Request) -> Answer:
        """JSON {"organisation": ODS code}, {} for everyone; the same as a form of our own page, then 303."""
        try:
            organisation = _organisation(request)
        except (ValueError, AttributeError):
            return json_answer(400, {"error": "send organisation (an ODS code), or nothing for everyone"})
        if organisation is None:
            return json_answer(415, {"error": f"send {JSON_MEDIA}"})
        self._reset(organisation.upper() or None)
        return Answer(303, (("Location", "/"),)) if _media(request) == FORM_MEDIA else Answer(204)


_HELP = (
    f"send service (an id), fault (one of {', '.join(Fault)}), "
    f"times (1 to {MOST_TIMES}, default 1) and, if wanted, method (GET, POST ...) "
    f"and seconds (how long slow and hang last, at most {MOST_SECONDS:.0f})"
)


def _drill(body: bytes) -> Drill:
    """Raises ValueError."""
    loaded = orjson.loads(body)
    content = loaded if isinstance(loaded, dict) else {}
    service, times, method = content.get("service"), content.get("times", 1), content.get("method", "")
    seconds = content.get("seconds", 0)
    if not isinstance(service, str) or not service.isalnum() or not isinstance(method, str):
        raise ValueError("service or method")
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_TIMES:
        raise ValueError("times")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= MOST_SECONDS:
        raise ValueError("seconds")
    return Drill(service, Fault(str(content.get("fault"))), times, method.upper(), float(seconds))


def _organisation(request: Request) -> str | None:
    """The ODS code named, "" for everyone; None where another site may have sent it. Raises ValueError."""
    if _media(request) == JSON_MEDIA:
        content = orjson.loads(request.body or b"{}")
        named = str(content.get("organisation", ""))
    elif _media(request) == FORM_MEDIA and _is_own_page(request):
        named = parse_qs(request.body.decode()).get("organisation", [""])[0]
    else:
        return None
    return named.strip()


def _is_own_page(request: Request) -> bool:
    """Browsers name the page that posts a form: it must be ours."""
    return bool(request.header("Host")) and urlsplit(request.header("Origin")).netloc == request.header(
        "Host"
    )


def _media(request: Request) -> str:
    return request.header("Content-Type").partition(";")[0].strip().lower()


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
