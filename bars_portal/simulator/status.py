"""The page at /: what this is, its addresses, the last requests. No scripts, no external assets."""

import html

from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH, Config
from bars_portal.simulator.journal import Entry, Journal
from bars_portal.simulator.wire import Answer

HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)
STYLE = (
    "body{font:1rem/1.5 Arial,sans-serif;color:#212b32;background:#f0f4f5;margin:0}"
    "main{max-width:60rem;margin:0 auto;padding:1.5rem}"
    "table{border-collapse:collapse;width:100%;background:#fff}"
    "caption{text-align:left;font-weight:bold;padding:.5rem 0}th,td{text-align:left;padding:.4rem .6rem;"
    "border-bottom:1px solid #d8dde0}dt{font-weight:bold}dd{margin:0 0 .5rem}.scroll{overflow-x:auto}"
)
SHOWN = 50
COLUMNS = ("Time (UTC)", "Method", "Path", "Target service", "Status")


def status_page(config: Config, journal: Journal) -> Answer:
    """The whole page as one answer."""
    body = _PAGE.format(
        style=STYLE,
        token_url=html.escape(config.public_url + TOKEN_PATH),
        fhir_url=html.escape(config.public_url + FHIR_BASE),
        caption=f"Last {SHOWN} requests, newest first",
        head="".join(f'<th scope="col">{name}</th>' for name in COLUMNS),
        rows="".join(_row(entry) for entry in journal.entries()[:SHOWN]) or _EMPTY,
    )
    return Answer(200, HEADERS, body.encode())


def _row(entry: Entry) -> str:
    cells = (f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.method, entry.path, entry.service, entry.status)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


_EMPTY = f'<tr><td colspan="{len(COLUMNS)}">No requests yet.</td></tr>'
_PAGE = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>BaRS simulator</title><style>{style}</style></head>
<body><main>
<h1>BaRS simulator</h1>
<p>The NHS side of the Booking and Referral Standard, for development and tests only: it issues tokens
and passes requests on to receivers as the BaRS proxy does. It is not an NHS service
and must never see real patients.</p>
<dl>
<dt>Token endpoint</dt><dd><code>{token_url}</code></dd>
<dt>BaRS proxy</dt><dd><code>{fhir_url}</code></dd>
<dt>Health</dt><dd><code>GET /simulator/health</code> (this computer only)</dd>
<dt>Fault drills</dt><dd><code>POST /simulator/faults</code>, <code>DELETE /simulator/faults</code>
(this computer only)</dd>
</dl>
<div class="scroll" role="region" aria-label="Requests" tabindex="0">
<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
</div>
</main></body></html>
"""
