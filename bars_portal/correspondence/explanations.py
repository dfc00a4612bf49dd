"""Why a message of ours was not taken: a table of sentences, asked with what came back."""

from collections.abc import Mapping

from bars_portal.exchange.registry import Outcome

# By (code of http-error-codes without prefix, issue code), most particular first.
Refusals = Mapping[tuple[str, str], str]


def is_not_on_network(outcome: Outcome) -> bool:
    """The proxy itself does not know the service."""
    issue = next(iter(outcome.issues), None)
    return issue is not None and issue.code.upper() in ("PROXY_NOT_FOUND", "NOT_FOUND")


def words_for(outcome: Outcome, table: Refusals) -> str:
    """The table's sentence for the decisive issue of a refusal; "" when it has none."""
    issue = next(iter(outcome.issues), None)
    if issue is None:
        return table.get(("", ""), "")
    code = issue.code.upper()
    bare = next((code.removeprefix(each) for each in _PREFIXES if code.startswith(each)), code)
    return table.get((bare, issue.issue)) or table.get((bare, "")) or ""


_PREFIXES = ("SEND_", "PROXY_", "REC_")
