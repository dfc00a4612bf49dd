"""Who we are on the BaRS network, and which environment we speak to (api.md and standard, section 1)."""

from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.exchange.receiver.server.environment import peer_names, peer_sources
from bars_portal.settings.environment import VAR, env

BARS_PROCESS = env.choice("BARS_PROCESS", ("portal", "receiver", "worker"), "portal")

# Where the simulator runs, for the environments that it plays.
BARS_SIMULATOR_URL = env.text("BARS_SIMULATOR_URL", "http://127.0.0.1:8010")
_environment = env.choice("BARS_ENVIRONMENT", ENVIRONMENTS, "simulator")
_facts = ENVIRONMENTS[_environment]

BARS = {
    "ENVIRONMENT": _environment,
    "BASE_URL": _facts.base_url(BARS_SIMULATOR_URL),
    "TOKEN_URL": _facts.token_url(BARS_SIMULATOR_URL),
    "API_KEY": env.text("BARS_API_KEY", ""),
    "KEY_ID": env.text("BARS_KEY_ID", ""),
    "PRIVATE_KEY_FILE": env.text("BARS_PRIVATE_KEY_FILE", ""),
    # While the key is rotated: the next one, used as soon as it is registered; until then the one above.
    "NEXT_KEY_ID": env.text("BARS_NEXT_KEY_ID", ""),
    "NEXT_PRIVATE_KEY_FILE": env.text("BARS_NEXT_PRIVATE_KEY_FILE", ""),
    "ODS_CODE": env.text("BARS_ODS_CODE", ""),
    "ORGANISATION_NAME": env.text("BARS_ORGANISATION_NAME", ""),
    # Our own reply address: MessageHeader.source.endpoint.
    "SERVICE_ID": env.text("BARS_SERVICE_ID", ""),
    # Which installation this is, of several that one organisation may have (NHSD-Requesting-Software).
    "SOFTWARE_IDENTIFIER": env.text("BARS_INSTALLATION_ID", "")
    or f"bars-portal-{_environment}-{env.text('BARS_SERVICE_ID', '') or 'unnamed'}",
    "SOFTWARE_NAME": "BaRS portal",
    "SOFTWARE_VERSION": "0.1.0",
    # MessageHeader.source: who supplies this system, and whom to ask about a message.
    "SUPPLIER_NAME": env.text("BARS_SUPPLIER_NAME", "") or env.text("BARS_ORGANISATION_NAME", ""),
    "SUPPORT_CONTACT": env.text("BARS_SUPPORT_CONTACT", ""),
    # The decision support that assessments here are made with, where a request does not name another.
    "TRIAGE_TOOL": env.text("BARS_TRIAGE_TOOL", ""),
    "TRIAGE_TOOL_VERSION": env.text("BARS_TRIAGE_TOOL_VERSION", ""),
}

# Whether organisations without a connection of their own send with the credentials above. Else only that of
# BARS_ODS_CODE does: in production each provider has an application of its own.
BARS_SHARED_CREDENTIALS = env.flag("BARS_SHARED_CREDENTIALS", default=_facts.is_simulated)

# The delay before each automatic repeat of a message without a clear answer; after the last a person is told.
BARS_RETRY_SECONDS = env.numbers("BARS_RETRY_SECONDS", (5, 15, 60, 300, 900, 3600))

# How many messages a worker sends at once, and how many requests may be under way from one process to one
# partner: those that hang keep so many threads, and no other partner waits for them.
BARS_SENDERS = env.whole("BARS_SENDERS", 32, 1, 256)
BARS_PARTNER_LIMIT = env.whole("BARS_PARTNER_LIMIT", 4, 1, 64)

# How many hours a service's own word on what it takes is kept; the standard allows 24 (section 8).
BARS_CAPABILITY_HOURS = env.whole("BARS_CAPABILITY_HOURS", 12, 1, 24)

# Where the onboarding desk keeps keys and certificates: a folder of its own for each environment and
# organisation, readable by its owner alone. Without one nothing is made there.
_in_var = str(VAR / "credentials") if _facts.is_simulated else ""
BARS_CREDENTIALS_FOLDER = env.text("BARS_CREDENTIALS_FOLDER", _in_var)
# The simulator's working folder, whose certificates its self-test shows.
BARS_SIMULATOR_FOLDER = env.text("BARS_SIMULATOR_FOLDER", str(VAR / "simulator"))
# A map service, with {latitude} and {longitude} in its address. Whoever runs it learns where patients are, so
# pages have a link there only where an installation names one.
BARS_MAP_URL = env.text("BARS_MAP_URL", "")

# Files of which the status page and the figures tell when they end: certificates, chains, CRLs.
BARS_WATCHED_CERTIFICATES = env.listing("BARS_WATCHED_CERTIFICATES")
# What the receiver's server is given, as far as this process is told: bars_doctor and the page of
# certificates look at it. The server reads its own (bars_portal/exchange/receiver/server/environment.py).
RECEIVER = {
    name: env.text(name, "")
    for name in (
        "RECEIVER_HOST",
        "RECEIVER_PORT",
        "RECEIVER_CERT_FILE",
        "RECEIVER_KEY_FILE",
        "RECEIVER_CA_FILE",
        "RECEIVER_CRL_FILE",
        "RECEIVER_HEALTH_CERT_FILE",
        "RECEIVER_HEALTH_KEY_FILE",
        "RECEIVER_HEALTH_SERVER_NAME",
        "RECEIVER_CERTIFICATES_FOLDER",
    )
}
# Of the doctor alone: a client of the right chain that must not be let in.
RECEIVER |= {
    "RECEIVER_WRONG_NAME_CERT_FILE": env.text("RECEIVER_WRONG_NAME_CERT_FILE", ""),
    "RECEIVER_WRONG_NAME_KEY_FILE": env.text("RECEIVER_WRONG_NAME_KEY_FILE", ""),
}

# Which client certificates may speak to the receiver (their chain is checked by TLS itself), and from where.
BARS_PEER_NAMES = peer_names(env, _environment)
BARS_PEER_SOURCES = peer_sources(env)
# How many requests a minute one organisation may make of one receiver process; 0 is without a limit.
BARS_PEER_REQUESTS_A_MINUTE = env.whole("BARS_PEER_REQUESTS_A_MINUTE", 6000, 0, 1_000_000)
# "bundled": our own TLS server shows the certificate; "proxy": nginx passes it in headers.
BARS_PEER_SOURCE = env.choice("BARS_PEER_SOURCE", ("bundled", "proxy"), "bundled")
BARS_TRUSTED_PROXIES = env.listing("BARS_TRUSTED_PROXIES", ["127.0.0.1", "::1"])
