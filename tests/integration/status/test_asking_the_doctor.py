"""How bars_doctor is asked, in part and as a whole, by command and by page, and what it puts right."""

import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from bars_portal.accounts.permissions import Role
from bars_portal.audit.chain.sealer import seal_trail
from bars_portal.audit.models import AuditEvent
from bars_portal.status import selectors
from bars_portal.status.doctor import EXAMINATIONS
from bars_portal.status.doctor.examination import UnknownExamination, Verdict, Visit, examine
from tests.factories.accounts import make_user
from tests.integration.status.installation import World, ill
from tests.integration.status.test_doctor import sealed_elsewhere, token_says

pytestmark = pytest.mark.django_db
NO_BROKER = "redis://127.0.0.1:9/0"
FULL = selectors.Disk("the queue", 0.01)


def test_a_part_of_it_is_looked_at_with_what_it_rests_on(world: World) -> None:
    assert [line.name for line in world.examine(only=["registration"])] == ["registration"]
    world.bars(PRIVATE_KEY_FILE="")
    (line,) = world.examine(only=["registration"])
    assert (line.verdict, line.fact) == (Verdict.SKIPPED, "First: Key that signs for tokens.")
    with pytest.raises(UnknownExamination):
        world.examine(only=["nothing"])


def test_nobody_outside_is_asked_unless_wanted(world: World) -> None:
    found = world.examine(outside=False)
    assert not world.token_server.received
    left_out = {line.name for line in found if line.verdict is Verdict.SKIPPED}
    assert left_out == {each.name for each in EXAMINATIONS if each.asks_outside}
    assert ill(found) == {}


def test_what_is_safe_is_put_right(world: World) -> None:
    (world.folder / "signing.key").chmod(0o640)
    world.settings.AUDIT_HEADS_FOLDER = str(world.folder / "heads")
    sealed_elsewhere(world)
    assert set(ill(world.examine())) == {"key-modes", "heads-folder", "stored-token"}
    fixed = {line.name: line.fixed for line in world.examine(fix=True) if line.fixed}
    assert set(fixed) == {"key-modes", "heads-folder", "stored-token"}
    assert ill(world.examine()) == {}


def test_one_that_stumbles_hides_no_other_and_quotes_nothing(world: World) -> None:
    def stumble(_visit: Visit) -> Any:
        raise LookupError("SECRET")

    broken = [replace(each, look=stumble) if each.name == "key-id" else each for each in EXAMINATIONS]
    found = examine(broken, Visit(now=timezone.now(), lock_file=world.lock))
    assert ill(found) == {"key-id": "It cannot be looked at (LookupError)."}


def test_the_command_tells_machines_and_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.settings.LOCK_FILE = world.lock
    out = StringIO()
    call_command("bars_doctor", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["wrong"] is False
    assert {line["verdict"] for line in told["lines"]} == {"fine"}
    world.bars(SERVICE_ID="2000099008")
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("bars_doctor", "--only", "reply-address", stdout=out)
    assert end.value.code == 1
    for words in ("wrong", "replies find nobody", "Do:", "import-a-catalogue.md"):
        assert words in out.getvalue()
    with pytest.raises(CommandError):
        call_command("bars_doctor", "--only", "nothing", stdout=out)


def test_the_page_says_the_same(world: World) -> None:
    world.settings.LOCK_FILE = world.lock
    client = Client()
    client.force_login(make_user(role=Role.ENGINEER))
    seal_trail(now=timezone.now())
    page = client.get("/status/doctor/").content.decode()
    assert "Nothing is wrong" in page
    assert not world.token_server.received
    token_says("JWT signature verification failed")(world)
    page = client.post("/status/doctor/").content.decode()
    assert "The key that is registered under BARS_KEY_ID is another one." in page
    assert world.token_server.received
    assert AuditEvent.objects.filter(action="status.examine").exists()
