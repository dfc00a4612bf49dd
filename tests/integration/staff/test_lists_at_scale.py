"""Lists of the administration among thousands of rows: what they read beside the rows that they show."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model, Q
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.models import User
from bars_portal.api.models import WebhookDelivery
from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import record
from bars_portal.audit.staff_lists import of_keys
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.sql import each_value
from bars_portal.values import is_named, name_key
from directory.models import HealthcareService
from tests.factories.accounts import make_organisation, make_user
from tests.factories.api import happen, make_application, make_webhook
from tests.factories.directory import make_endpoint, make_service
from tests.factories.messages import inbound, outbound
from tests.plans import multiply, plans, read_whole

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ROWS = 4_000
_NEW_ID = {"id": "gen_random_uuid()"}


@pytest.fixture
def superuser(client: Client) -> Client:
    client.force_login(make_user(role=None, is_superuser=True, username="root"))
    return client


def found_by(model: type[Model], asked: str) -> set[Any]:
    page = admin.site.get_model_admin(model)
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True)
    rows, _ = page.get_search_results(request, page.get_queryset(request), asked)
    return {row.pk for row in rows}


def asked_of(table: type[Model], ask: Callable[[], object]) -> list[str]:
    name = table._meta.db_table
    with CaptureQueriesContext(connection) as captured:
        ask()
    return [str(each["sql"]) for each in captured.captured_queries if f'"{name}"' in str(each["sql"])]


def make_events() -> AuditEvent:
    """Of some years, of many people, nearly all done."""
    organisation = make_organisation()
    actor = Actor("Somebody", organisation_id=organisation.pk)
    event = record(actor=actor, action="tests.deed", subject=organisation, now=NOW)
    turns = "(ARRAY['tests.deed', 'tests.look', 'tests.send'])[n % 3 + 1]"
    multiply(
        event,
        ROWS,
        at="kept.at - n * interval '5 hours'",
        action=turns,
        actor_label="'Person ' || n % 40",
        outcome="CASE WHEN n % 900 = 0 THEN 'refused' ELSE 'done' END",
    )
    return event


def make_inbound() -> InboundMessage:
    message = inbound("2000099001", received_at=NOW)
    own = {**_NEW_ID, "request_id": "gen_random_uuid()", "bundle_id": "gen_random_uuid()"}
    multiply(message, ROWS, **own, received_at="kept.received_at - n * interval '5 hours'")
    return message


def make_outbound() -> OutboundMessage:
    message = outbound(make_organisation(), state="accepted", settled_at=NOW, created_at=NOW)
    own = {**_NEW_ID, "request_id": "gen_random_uuid()", "bundle_id": "gen_random_uuid()"}
    multiply(message, ROWS, **own, created_at="kept.created_at - n * interval '5 hours'")
    return message


def make_deliveries() -> WebhookDelivery:
    hook, _ = make_webhook(url="https://hooks.example/")
    delivery = WebhookDelivery.objects.create(
        webhook=hook, created_at=NOW, state="delivered", settled_at=NOW, next_attempt_at=None
    )
    multiply(delivery, ROWS, **_NEW_ID, created_at="kept.created_at - n * interval '5 hours'")
    return delivery


@pytest.mark.parametrize("make", [make_events, make_inbound, make_outbound, make_deliveries])
def test_beside_its_rows_a_list_is_counted_and_no_more(superuser: Client, make: Callable[[], Model]) -> None:
    """Filters and days asked every row what there is."""
    model = type(make())
    name = f"{model._meta.app_label}/{model._meta.model_name}"
    with CaptureQueriesContext(connection) as captured:
        assert superuser.get(f"/admin/{name}/").status_code == 200
    asked = [
        str(each["sql"])
        for each in captured.captured_queries
        if f'"{model._meta.db_table}"' in str(each["sql"]) and "INSERT" not in str(each["sql"])
    ]
    faults = [each for each in asked if "DISTINCT" in each or "DATE_TRUNC" in each or "MIN(" in each]
    assert not faults
    assert sum("COUNT(*)" in each for each in asked) == 1


def test_what_belongs_to_services_is_listed_by_their_names_from_an_index(superuser: Client) -> None:
    endpoint = make_endpoint()
    multiply(
        endpoint.service,
        ROWS,
        id="md5('s' || n)::uuid",
        service_id="(3000000000 + n)::text",
        name="'Service ' || n",
    )
    multiply(endpoint, ROWS, **_NEW_ID, service_id="md5('s' || n)::uuid")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET relallvisible = relpages WHERE relname = 'directory_healthcareservice'"
        )

    def read(plan: Any) -> float:
        own = plan["Actual Rows"] * plan["Actual Loops"] if "Join Type" in plan else 0
        return max([own, *map(read, plan.get("Plans", ()))])

    address = "/admin/directory/endpoint/?o=1"
    assert superuser.get(address).context["cl"].get_ordering_field_columns()
    assert max(read(plan) for _, plan in plans(lambda: superuser.get(address))) <= 200


def test_values_are_looked_up_and_not_read() -> None:
    make_events()
    assert each_value(AuditEvent, "action") == ["tests.deed", "tests.look", "tests.send"]
    assert each_value(AuditEvent, "outcome", other_than="done") == ["refused"]
    for column in ("action", "actor_label", "organisation"):
        told = list(plans(lambda name=column: each_value(AuditEvent, name)))  # type: ignore[misc]  # bound now
        assert told
        assert not any(read_whole(plan) for _, plan in told), column


@pytest.mark.parametrize("asked", ["person 7", "Person 7", "id", "00000000-0000-0000-0000-000000000007"])
def test_the_trail_is_searched_by_indexes(asked: str) -> None:
    event = make_events()
    wanted = event.subject_id if asked == "id" else asked

    def ask() -> object:
        return found_by(AuditEvent, wanted)

    found = found_by(AuditEvent, wanted)
    assert len(found) == {"id": ROWS + 1, "person 7": ROWS / 40, "Person 7": ROWS / 40}.get(asked, 0)
    if asked != "id":
        assert not any(read_whole(plan) for _, plan in plans(ask))


def test_days_lead_from_years_to_rows(superuser: Client) -> None:
    make_events()
    address = "/admin/audit/auditevent/"

    def days(query: str) -> dict[str, str]:
        calendar = superuser.get(f"{address}{query}").context["cl"].calendar
        return {each["title"]: each.get("link", "") for each in calendar["choices"]}

    first = (NOW - timedelta(hours=5 * ROWS)).date()
    years = days("")
    assert list(years) == [str(year) for year in range(first.year, NOW.year + 1)]
    months = days(years["2025"])
    assert len(months) == 12
    assert next(iter(days(years["2026"]))) == "January 2026"
    november = days(days(years["2026"])["November 2026"])
    assert list(november) == [f"{day} November" for day in range(1, 22)]
    page = superuser.get(f"{address}{november['7 November']}").context["cl"]
    assert page.result_count == AuditEvent.objects.filter(at__date=date(2026, 11, 7)).count() > 0
    assert page.calendar["back"]["title"] == "November 2026"
    assert page.calendar["choices"] == [{"title": "7 November"}]


PEOPLE = {
    "ONeill": ("eoin", "Eoin", "O\u2019Neill", "eoin@riverside.example"),
    "Orsted": ("orsted", "Bj\u00f8rn", "\u00d8rsted", ""),
    "Jose": ("jose", "Jos\u00e9 Mar\u00eda", "Nu\u00f1ez", ""),
    "Smith": ("smith.a", "Ada", "Smith-Jones", "a.smith@trust.example"),
}


@pytest.mark.parametrize(
    ("asked", "whom"),
    [
        ("oneill", "ONeill"),
        ("O'NEILL eoin", "ONeill"),
        ("riverside.ex", "ONeill"),
        ("orsted", "Orsted"),
        ("bjorn \u00f8rst", "Orsted"),
        ("jose nunez", "Jose"),
        ("MARIA", "Jose"),
        ("mith", "Smith"),
        ("Jones ada", "Smith"),
        ("smithjones", "Smith"),
        ("SMITH.A", "Smith"),
        ('"Ada Smith"', "Smith"),
        ("ada nobody", ""),
        ("dasm", ""),
    ],
)
def test_people_are_found_by_any_part_and_by_their_names(asked: str, whom: str) -> None:
    made = {}
    for name, (username, first, last, email) in PEOPLE.items():
        person = make_user(username=username, first_name=first, last_name=last)
        User.objects.filter(pk=person.pk).update(email=email)
        made[name] = person.pk
    assert found_by(User, asked) == ({made[whom]} if whom else set())


def test_names_are_read_of_few_people(monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_user(username="ada", first_name="Ada", last_name="Smith")
    multiply(
        person, ROWS, username="'user' || n", first_name="'Given ' || n", last_name="'Family ' || n % 70"
    )
    judged: list[str] = []

    def judge(name: str, asked: str) -> bool:
        judged.append(name)
        return is_named(name, asked)

    monkeypatch.setattr("bars_portal.accounts.people.selectors.is_named", judge)
    assert found_by(User, "300000077") == set()
    assert len(found_by(User, "family 12")) > 50
    assert len(judged) < 100
    assert not any("UPPER" in each for each in asked_of(User, lambda: found_by(User, "Smith")))


NAMES = [
    "Ada Smith",
    "O\u2019Neill",
    "o'neill",
    "St. John-Smythe",
    "Mc  Donald",
    "Jos\u00e9",
    "\u017dofia",
    "\ufb01n",
]
# As SQL knows no casefold of its own, these are left to Python.
OTHERS = ["\u00d8rsted", "\u041e\u043b\u044c\u0433\u0430", "Wei\u00df"]


@pytest.mark.parametrize("name", [*NAMES, *OTHERS])
def test_the_database_folds_names_as_forms_do(name: str) -> None:
    person = make_user(first_name="", last_name=name)
    person.refresh_from_db()
    assert person.name_key in ("", name_key(name))
    assert bool(person.name_key) == (name in NAMES)


def test_deliveries_are_found_by_what_their_page_calls_webhook_id(superuser: Client) -> None:
    organisation = make_organisation()
    hook, _ = make_webhook(
        url="https://hooks.example/in", application=make_application(organisation=organisation)
    )
    (event,) = happen(organisation)
    delivery = WebhookDelivery.objects.create(
        webhook=hook, event=event, created_at=NOW, state="delivered", settled_at=NOW
    )
    other = WebhookDelivery.objects.create(webhook=hook, created_at=NOW, state="delivered", settled_at=NOW)
    assert found_by(WebhookDelivery, str(delivery.message_id)) == {delivery.pk}
    assert found_by(WebhookDelivery, str(other.message_id).upper()) == {other.pk}
    assert found_by(WebhookDelivery, "HOOKS.example") == {delivery.pk, other.pk}
    assert found_by(WebhookDelivery, "elsewhere.example") == set()


def test_a_search_is_carried_out_once(superuser: Client) -> None:
    """Its keys are counted, shown and asked for days."""
    service = make_service(name="Riverside")
    multiply(service, ROWS, **_NEW_ID, service_id="(3000000000 + n)::text", name="'Place ' || n")
    asked = asked_of(
        HealthcareService, lambda: superuser.get("/admin/directory/healthcareservice/?q=riverside")
    )
    assert sum("LIKE" in each for each in asked) == 1


def test_of_too_many_no_key_is_gathered() -> None:
    service = make_service(name="Riverside")
    multiply(service, 1_200, **_NEW_ID, service_id="(3000000000 + n)::text", name="'Place ' || n")
    rows = of_keys(HealthcareService.objects.all(), Q(service_id__gt=""))
    assert rows.count() == 1_201
