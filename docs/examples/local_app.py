"""A small local app, standard library only: it books through the API and hears by webhook what became of it.

    API_URL=http://127.0.0.1:8000 API_CLIENT_ID=... API_CLIENT_SECRET=... python local_app.py [SERVICE_ID]

With a demo running, var/demo.env has the id and the secret. It makes a webhook for itself, books the first free
time of the service, prints each event as it arrives, and removes the webhook again.
"""

import base64
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENT = {
    "family_name": "Quill",
    "given_names": "Ada",
    "birth_date": "1945-07-14",
    "gender": "female",
    "nhs_number": "9449306621",
    "traced_in": "PDS",
    "address_line_1": "1 Sample Row",
    "town": "Leeds",
    "postcode": "LS1 4AP",
    "phone": "07700 900123",
}
# Older or newer than this a delivery is not believed: somebody may send again what they once recorded.
TOLERANCE_SECONDS = 300


class Api:
    """Calls with a token; every POST has a key of its own, so that it may be repeated."""

    def __init__(self, url: str, client_id: str, secret: str) -> None:
        self.url = url.rstrip("/")
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        headers = {"Authorization": f"Basic {basic}"}
        self.token = self._call("POST", "/api/oauth2/token/", form, headers)["access_token"]

    def get(self, path: str) -> dict:
        return self._call("GET", f"/api/v1/{path}", None, self._bearer())

    def post(self, path: str, body: dict) -> dict:
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        return self._call("POST", f"/api/v1/{path}", json.dumps(body).encode(), self._bearer() | headers)

    def _bearer(self) -> dict:
        return {"Authorization": f"Bearer {self.token}"}

    def _call(self, verb: str, path: str, body: bytes | None, headers: dict) -> dict:
        request = urllib.request.Request(self.url + path, body, headers, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            # A problem (RFC 9457): detail is for people, errors name each field.
            raise SystemExit(f"{verb} {path}: {refusal.code} {refusal.read().decode()}") from None


def is_genuine(secret: str, headers, body: bytes, now: float) -> bool:
    """Standard Webhooks: one of the signatures is ours, and it was made just now."""
    sent, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(now - int(at)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    ours = hmac.new(key, f"{sent}.{at}.".encode() + body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(ours).decode()}"
    return any(hmac.compare_digest(expected, each) for each in headers.get("webhook-signature", "").split())


class Receiver:
    """Listens on loopback, believes what is signed, answers at once, and leaves the work to whoever reads."""

    def __init__(self) -> None:
        self.secret, self.events, self.seen = "", queue.Queue(), set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/bars"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body: bytes) -> int:
        """The status to answer with. 2xx says "I have it", also to a repeat; anything else: send it again."""
        if not is_genuine(self.secret, headers, body, time.time()):
            return 401
        if headers["webhook-id"] not in self.seen:
            self.seen.add(headers["webhook-id"])
            self.events.put(json.loads(body))
        return 204

    def _handler(self) -> type:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(receiver.take(self.headers, body))
                self.end_headers()

            def log_message(self, *args) -> None:
                pass

        return Handler


def main(service_id: str = "2000099999") -> dict:
    api = Api(os.environ["API_URL"], os.environ["API_CLIENT_ID"], os.environ["API_CLIENT_SECRET"])
    receiver = Receiver()
    webhook = api.post("webhooks", {"url": receiver.url, "services": [service_id]})
    # Shown once: keep it where you keep passwords.
    receiver.secret = webhook["secret"]
    try:
        slots = api.get(f"services/{service_id}/slots")
        if slots["problem"]:
            raise SystemExit(slots["problem"]["detail"])
        booking = api.post("bookings", {"slot": slots["slots"][0]["id"], "patient": PATIENT})
        print("asked for", slots["slots"][0]["start"], booking["id"])
        while True:
            event = receiver.events.get(timeout=60)
            print("heard", event["type"], event["data"]["id"])
            # Events are thin: what happened is read from the API.
            if event["data"]["id"] == booking["id"] and event["data"]["direction"] == "sent":
                booking = api.get(f"bookings/{booking['id']}")
                if not booking["state"]["is_open"]:
                    print(booking["tell_patient"])
                    return booking
    finally:
        api.post(f"webhooks/{webhook['id']}/remove", {})
        receiver.server.shutdown()
        receiver.server.server_close()


if __name__ == "__main__":
    main(*sys.argv[1:2])
