"""The receiver's worker: mutual TLS in the poller, and nobody in a request thread who is not let in."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from gunicorn import util

from bars_portal.exchange.receiver.server.bounded_worker import BoundedConnection, BoundedWorker
from bars_portal.exchange.receiver.server.environment import ServerSettings
from bars_portal.exchange.receiver.server.gathering import GatheredConnection
from bars_portal.exchange.receiver.server.peer import Admission, Refused, describe
from bars_portal.exchange.receiver.server.tls import (
    Address,
    Credentials,
    Handshakes,
    PeerSocket,
    Renewal,
    Unusable,
)

HANDSHAKE_SECONDS = 3.0
# At once, in one worker: well below worker_connections, so that admitted clients always find room.
MOST_HANDSHAKES = 200
# Of those that are not let in: how many may wait for their refusal, and how long they have to ask.
MOST_REFUSED, REFUSED_SECONDS = 20, 3.0
# More than the largest message that is taken (DATA_UPLOAD_MAX_MEMORY_SIZE).
_MOST_MESSAGE = 3_000_000


class PeerConnection(BoundedConnection):
    """A connection that has finished its handshake."""

    most_body = _MOST_MESSAGE
    sock: PeerSocket
    refusal: Refused | None = None
    credentials: Credentials


class ReceiverWorker(BoundedWorker):
    """Only clients whose certificate, name and address were accepted ever reach a request thread.

    The others are answered from one thread of their own, by the same application.
    """

    def init_process(self) -> None:
        self.settings = ServerSettings.read(os.environ)
        # Watched from before they are read.
        self.renewal = Renewal(self.settings)
        left_out: list[Path] = []
        self.credentials = Credentials.read(self.settings, left_out=left_out)
        for each in left_out:
            # The folder is the organisation's code.
            self.log.error("The certificate of %s cannot be used; its name is not served", each.parent.name)
        self.admission = Admission.of(self.settings.peer_names, self.settings.peer_sources)
        self.doorstep = ThreadPoolExecutor(max_workers=1, thread_name_prefix="refused")
        self.at_the_door: set[GatheredConnection] = set()
        super().init_process()

    def run(self) -> None:
        self.handshakes = Handshakes(
            self.poller,
            seconds=HANDSHAKE_SECONDS,
            most=MOST_HANDSHAKES,
            done=self.admit,
            refused=self.refuse,
        )
        try:
            super().run()
        finally:
            self.doorstep.shutdown(wait=False)

    def accept(self, listener: Any) -> None:
        """Take a connection and begin its handshake; nothing here waits."""
        taken = self.take(listener)
        if taken is None:
            return
        raw, address = taken
        try:
            wrapped = self.credentials.context.wrap_socket(
                raw, server_side=True, do_handshake_on_connect=False
            )
        except OSError:
            # Already gone.
            self.nr_conns -= 1
            util.close(raw)
            return
        # The class is the context's sslsocket_class.
        self.handshakes.begin(cast(PeerSocket, wrapped), address)

    def refuse(self, sock: PeerSocket, address: Address, reason: str) -> None:
        self.nr_conns -= 1
        util.close(sock)
        self.log.info("TLS handshake with %s refused: %s", address[0], reason)

    def admit(self, sock: PeerSocket, address: Address) -> None:
        """Judge who it is, and wait in the poller for the first request."""
        sock.peer_der = sock.getpeercert(binary_form=True)
        conn = PeerConnection(self.cfg, sock, address, sock.getsockname())
        conn.credentials = self.credentials
        certificate = describe(sock.peer_der) if sock.peer_der else None
        conn.refusal = self.admission.judge(certificate, address[0])
        if conn.refusal is None:
            self.await_request(conn)
            return
        print_of = certificate.fingerprint if certificate else "none"
        self.log.warning("%s refused: %s, certificate %s", address[0], conn.refusal.value, print_of)
        self.at_the_door = {each for each in self.at_the_door if not each.closed}
        if len(self.at_the_door) >= MOST_REFUSED:
            self.drop(conn, "too many are refused at once")
            return
        self.at_the_door.add(conn)
        # Its body is of no interest.
        conn.most_body = 0
        self.await_refusal(conn)

    def await_refusal(self, conn: PeerConnection) -> None:
        """For its one request, gathered from now on: it has less time than those that are let in."""
        conn.request_seconds = REFUSED_SECONDS
        self.gathering.begin(conn)

    def enqueue_req(self, conn: PeerConnection) -> None:
        """gunicorn's way to a thread; closed to whose certificate was revoked since the handshake."""
        if conn.credentials is not self.credentials and self.credentials.takes_back(conn.sock.peer_der):
            self.drop(conn, "its certificate was revoked")
            return
        super().enqueue_req(conn)

    def submit(self, conn: PeerConnection) -> None:
        self.submit_to(self.doorstep if conn.refusal else self.tpool, conn)

    def is_last(self, conn: PeerConnection) -> bool:
        """Also after its refusal, and once there are newer files: the next handshake is judged by those."""
        outdated = conn.credentials is not self.credentials
        return super().is_last(conn) or conn.refusal is not None or outdated

    def murder_pending(self) -> None:
        """gunicorn's sweep after each round of the poller, extended to handshakes and to renewed files."""
        super().murder_pending()
        self.handshakes.drop_late()
        match self.renewal.renewed(time.monotonic()):
            case Credentials() as renewed:
                self.credentials = renewed
                self.log.info("Certificate files read again (pid: %s)", self.pid)
            case Unusable(reason):
                self.log.error("Certificate files changed but unusable (%s): the earlier ones stay", reason)
