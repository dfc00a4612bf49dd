"""The audit trail: who signs its chain, where the signed heads go, and how long events are kept."""

from bars_portal.settings.environment import env

# Ed25519, PEM: of the worker that signs, and of who prunes.
AUDIT_SIGNING_KEY_FILE = env.text("AUDIT_SIGNING_KEY_FILE", "")
# Whose signatures are believed, earlier keys too; none: the public half of the above.
AUDIT_PUBLIC_KEY_FILES = env.listing("AUDIT_PUBLIC_KEY_FILES")
# Outside the database, best where the portal can add but not change.
AUDIT_HEADS_FOLDER = env.text("AUDIT_HEADS_FOLDER", "")
# Eight years, the time for which health records of adults are kept.
AUDIT_RETENTION_DAYS = env.whole("AUDIT_RETENTION_DAYS", 2922, 365, 36525)
