"""The transport's own error tree: what went wrong, and whether the other side may have seen the request."""

from typing import ClassVar, Literal

NotSentKind = Literal["connect", "tls", "timeout", "pool", "request"]
LostKind = Literal["timeout", "cut", "garbled"]


class TransportError(Exception):
    """Base of all. `sent`: the other side may have seen the request, so only the same ids may be sent again.

    Texts are fixed words: never a URL, a header, a body or a secret.
    """

    sent: ClassVar[bool]
    kind: str

    def __init__(self, kind: str) -> None:
        super().__init__(f"{type(self).__name__}: {kind}")
        self.kind = kind


class NotSent(TransportError):
    """Certainly nothing was sent: no connection, a TLS failure, no free connection, unusable request."""

    sent = False

    def __init__(self, kind: NotSentKind) -> None:
        super().__init__(kind)


class LostReply(TransportError):
    """Sending began and no usable answer came: too late, cut off, or no HTTP we can read (or too large)."""

    sent = True

    def __init__(self, kind: LostKind) -> None:
        super().__init__(kind)


class TokenRefused(TransportError):
    """The token endpoint gave no token, so the request itself was never sent.

    `error`, `description` and `message_id` are those of the endpoint's failure body (seed: onboarding), for
    support staff; they are attributes only, never part of the exception's text.
    """

    sent = False

    def __init__(self, error: str, description: str = "", message_id: str = "") -> None:
        super().__init__("token-refused")
        self.error, self.description, self.message_id = error, description, message_id
