"""/simulator/...: health, and the switch for fault drills. Loopback only; not part of BaRS."""

import ipaddress

import orjson

from bars_portal.simulator.faults import MOST_TIMES, Fault, FaultBoard
from bars_portal.simulator.wire import JSON_MEDIA, Answer, Request, json_answer

PREFIX = "/simulator/"


class Drills:
    """Answers what lies under PREFIX."""

    def __init__(self, faults: FaultBoard) -> None:
        self._faults = faults

    def answer(self, request: Request) -> Answer:
        """200 or 204 when done, 400 with what is wrong, 404 for strangers and unknown paths, 405."""
        if not _is_loopback(request.peer):
            return json_answer(404, {"error": "not found"})
        match request.raw_path.removeprefix(PREFIX), request.method:
            case "health", "GET" | "HEAD":
                return json_answer(200, {"status": "ok"})
            case "faults", "POST":
                return self._arm(request)
            case "faults", "DELETE":
                self._faults.clear()
                return Answer(204)
            case "health" | "faults", _:
                return json_answer(405, {"error": "method not allowed"})
        return json_answer(404, {"error": "not found"})

    def _arm(self, request: Request) -> Answer:
        # A web page cannot send this content type to another origin without asking first.
        if request.header("Content-Type").partition(";")[0].strip() != JSON_MEDIA:
            return json_answer(415, {"error": f"send {JSON_MEDIA}"})
        try:
            service, fault, times, method = _drill(request.body)
        except ValueError:
            return json_answer(400, {"error": _HELP})
        self._faults.arm(service=service, fault=fault, times=times, method=method)
        return json_answer(201, {"service": service, "fault": fault, "times": times, "method": method})


_HELP = (
    f"send service (an id), fault (one of {', '.join(Fault)}), "
    f"times (1 to {MOST_TIMES}, default 1) and, if wanted, method (GET, POST ...)"
)


def _drill(body: bytes) -> tuple[str, Fault, int, str]:
    """Service id, fault, times, method ("" for any). Raises ValueError."""
    loaded = orjson.loads(body)
    content = loaded if isinstance(loaded, dict) else {}
    service, times, method = content.get("service"), content.get("times", 1), content.get("method", "")
    if not isinstance(service, str) or not service.isalnum() or not isinstance(method, str):
        raise ValueError("service or method")
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_TIMES:
        raise ValueError("times")
    return service, Fault(str(content.get("fault"))), times, method.upper()


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
