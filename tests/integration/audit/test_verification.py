"""Tampering as a superuser of the database could: each found, with the day and the event."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.chain.heads import export_head
from bars_portal.audit.chain.sealer import SealFacts, hash_of, seal_trail
from bars_portal.audit.models import Seal
from bars_portal.audit.services import record
from bars_portal.credentials.keys import ensure_audit_key
from tests.integration.audit.conftest import BEGAN, as_superuser

pytestmark = pytest.mark.django_db

_LATER = BEGAN + timedelta(days=2, minutes=10)
_PUT_IN = (
    "INSERT INTO audit_auditevent (id, at, actor_label, action, outcome, subject_type, subject_id, detail)"
    " VALUES ({id}, '{at}', 'x', 'tests.smuggle', 'done', '', '', '{{}}')"
)


def verified(*, fails: bool = True) -> dict[str, Any]:
    """The command's report; its exit code fits."""
    said = io.StringIO()
    code = 0
    try:
        call_command("verify_audit", "--json", stdout=said)
    except SystemExit as ended:
        code = int(ended.code or 0)
    report: dict[str, Any] = json.loads(said.getvalue())
    assert (code, report["intact"]) == ((1, False) if fails else (0, True)), report
    return report


def found(report: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    return [(each["kind"], each["day"], each["event"]) for each in report["findings"]]


def test_an_untouched_trail_is_intact(chain: list[int]) -> None:
    report = verified(fails=False)
    assert (report["events"], report["heads"], report["unsealed"]["count"]) == (9, 3, 0)


def test_an_empty_trail_is_signed_too(heads: Path) -> None:
    export_head(heads, now=BEGAN)
    assert verified(fails=False)["heads"] == 1
    as_superuser(_PUT_IN.format(id=10**9, at="2026-07-13 11:00+00"))
    seal_trail(now=BEGAN)
    assert found(verified()) == [("backdated", "2026-07-13", 10**9)]


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", "--heads", "/nowhere")
    assert refusal.value.returncode == 2


def test_it_says_so_in_words(chain: list[int]) -> None:
    said = io.StringIO()
    record(actor=SYSTEM, action="tests.young", now=_LATER)
    call_command("verify_audit", stdout=said)
    assert "Nothing was changed." in said.getvalue()
    assert "Not sealed yet: 1 events" in said.getvalue()
    assert "covered by the roles of the database" in said.getvalue()


_COLUMNS = {
    "at": "at + interval '1 second'",
    "actor_label": "'somebody else'",
    "action": "'tests.other'",
    "outcome": "'refused'",
    "subject_type": "'x'",
    "subject_id": "'x'",
    "correlation_id": "'00000000-0000-0000-0000-000000000001'",
    "detail": """'{"n": 7}'""",
    "actor_user_id": "7",
    "organisation_id": "7",
}


@pytest.mark.parametrize("column", _COLUMNS)
def test_a_changed_row(chain: list[int], column: str) -> None:
    event = chain[4]
    as_superuser(f"UPDATE audit_auditevent SET {column} = {_COLUMNS[column]} WHERE id = {event}")
    assert found(verified()) == [("changed", "2026-07-15", event)]


def test_a_missing_row(chain: list[int]) -> None:
    as_superuser(f"DELETE FROM audit_auditevent WHERE id = {chain[7]}")
    assert found(verified()) == [("missing", "2026-07-16", chain[7])]


def test_a_row_put_in_under_an_id_that_was_settled(chain: list[int]) -> None:
    first = chain[0] - 1
    as_superuser(_PUT_IN.format(id=first, at="2026-07-15 11:00+00"))
    seal_trail(now=_LATER)
    assert found(verified()) == [("inserted", "2026-07-15", first)]


def test_a_row_put_in_with_a_new_id_and_an_old_date(chain: list[int]) -> None:
    event = chain[-1] + 1
    as_superuser(_PUT_IN.format(id=event, at="2026-07-15 11:00+00"))
    seal_trail(now=_LATER)
    assert found(verified()) == [("backdated", "2026-07-15", event)]


def test_a_row_of_the_past_is_noticed_after_a_quiet_time(chain: list[int], heads: Path) -> None:
    """Nothing happened since: the head says until when."""
    export_head(heads, now=_LATER + timedelta(hours=6))
    event = chain[-1] + 1
    as_superuser(_PUT_IN.format(id=event, at="2026-07-16 10:00+00"))
    seal_trail(now=_LATER + timedelta(hours=6, minutes=1))
    assert found(verified()) == [("backdated", "2026-07-16", event)]


def test_rows_that_changed_places(chain: list[int]) -> None:
    one, other = chain[3], chain[5]
    as_superuser(
        f"UPDATE audit_auditevent SET id = -1 WHERE id = {one}",
        f"UPDATE audit_auditevent SET id = {one} WHERE id = {other}",
        f"UPDATE audit_auditevent SET id = {other} WHERE id = -1",
    )
    assert found(verified()) == [("reordered", "2026-07-15", one), ("reordered", "2026-07-15", other)]


def test_rows_that_changed_places_in_their_seal(chain: list[int]) -> None:
    as_superuser(
        "UPDATE audit_seal SET event_ids = ARRAY[event_ids[2], event_ids[1], event_ids[3]],"
        " digests = substr(digests, 33, 32) || substr(digests, 1, 32) || substr(digests, 65)"
        " WHERE day = '2026-07-15' AND cardinality(event_ids) = 3"
    )
    assert found(verified()) == [
        ("seal-changed", "2026-07-15", None),
        ("reordered", "2026-07-15", chain[3]),
    ]


def the_seal_of(day: str) -> Seal:
    return Seal.objects.get(day=day, event_ids__len__gt=0)


def test_a_seal_that_was_taken_out(chain: list[int]) -> None:
    seal = the_seal_of("2026-07-15")
    as_superuser(f"DELETE FROM audit_seal WHERE number = {seal.number}")
    kinds = {kind for kind, *_ in found(verified())}
    # Its events belong to nothing now.
    assert {"seal-missing", "inserted"} <= kinds


def test_a_seal_that_was_made_anew_alone(chain: list[int]) -> None:
    seal = the_seal_of("2026-07-15")
    as_superuser(f"UPDATE audit_seal SET sealed_at = now() WHERE number = {seal.number}")
    make_anew(seal.number, only=True)
    assert ("seal-changed", "2026-07-16", None) in found(verified())


def make_anew(start: int, *, only: bool = False) -> None:
    """As somebody who has read the code: from this seal on all is right again."""
    before = Seal.objects.get(number=start - 1)
    for seal in Seal.objects.filter(number__gte=start).order_by("number")[: 1 if only else None]:
        told = {name: getattr(seal, name) for name in SealFacts._fields}
        own = hash_of(SealFacts(**{**told, "previous": bytes(before.hash), "digests": bytes(seal.digests)}))
        as_superuser(
            f"UPDATE audit_seal SET previous = '\\x{bytes(before.hash).hex()}', hash = '\\x{own.hex()}'"
            f" WHERE number = {seal.number}"
        )
        before = Seal.objects.get(number=seal.number)


def test_a_chain_that_was_made_anew(chain: list[int]) -> None:
    seal = the_seal_of("2026-07-15")
    as_superuser(
        f"DELETE FROM audit_auditevent WHERE id = {chain[5]}",
        "UPDATE audit_seal SET event_ids = event_ids[1:2], digests = substr(digests, 1, 64)"
        f" WHERE number = {seal.number}",
        f"UPDATE audit_seal SET total = total - 1 WHERE number >= {seal.number}",
    )
    make_anew(seal.number)
    report = verified()
    assert {kind for kind, *_ in found(report)} == {"remade"}
    assert "2026-07-15" in report["findings"][0]["day"]


def test_an_end_that_was_cut_off(chain: list[int]) -> None:
    seal = the_seal_of("2026-07-16")
    as_superuser(
        f"DELETE FROM audit_seal WHERE number >= {seal.number}",
        f"DELETE FROM audit_auditevent WHERE id >= {chain[6]}",
    )
    assert found(verified()) == [("cut", "2026-07-16", None)]


def test_the_whole_chain_gone(chain: list[int]) -> None:
    as_superuser("DELETE FROM audit_seal", "DELETE FROM audit_auditevent")
    assert found(verified()) == [("cut", "2026-07-16", None)]


def forged(line: str) -> str:
    return json.dumps({**json.loads(line), "total": 2})


def of_another_key(line: str) -> str:
    return json.dumps({**json.loads(line), "key": "0" * 16})


@pytest.mark.parametrize("change", [forged, of_another_key, lambda line: line[:-20], lambda _: "[]"])
def test_a_head_that_nobody_signed(chain: list[int], heads: Path, change: Callable[[str], str]) -> None:
    (file,) = heads.iterdir()
    first, *others = file.read_text().splitlines()
    file.write_text("\n".join([change(first), *others]))
    assert [kind for kind, *_ in found(verified())] == ["head-forged"]


def test_heads_that_are_gone(chain: list[int], heads: Path) -> None:
    (file,) = heads.iterdir()
    file.unlink()
    assert [kind for kind, *_ in found(verified())] == ["heads-missing"]


def test_without_a_folder_of_heads_it_says_what_is_not_found(chain: list[int], settings: Any) -> None:
    settings.AUDIT_HEADS_FOLDER = ""
    said = io.StringIO()
    call_command("verify_audit", stdout=said)
    assert "There is no signed head" in said.getvalue()


def test_a_key_that_was_replaced_is_still_believed(chain: list[int], settings: Any, tmp_path: Path) -> None:
    new = ensure_audit_key(tmp_path / "new")
    publics = [str(tmp_path / place / "audit.public.pem") for place in ("keys", "new")]
    settings.AUDIT_SIGNING_KEY_FILE = str(new)
    settings.AUDIT_PUBLIC_KEY_FILES = publics
    export_head(Path(settings.AUDIT_HEADS_FOLDER), now=_LATER)
    assert verified(fails=False)["heads"] == 4
