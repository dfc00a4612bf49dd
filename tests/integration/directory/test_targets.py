from datetime import UTC, datetime

import pytest

from directory.policies import why_unreachable
from tests.factories.directory import make_endpoint, make_service

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def test_one_endpoint_is_reached_and_several_are_not() -> None:
    endpoint = make_endpoint()
    assert why_unreachable(endpoint.service, now=NOW) == ""
    make_endpoint(service=endpoint.service)
    assert "2 endpoints" in why_unreachable(endpoint.service, now=NOW)


def test_what_the_directory_does_not_know_may_be_tried() -> None:
    assert why_unreachable(make_service(), now=NOW) == ""
    assert "suspended" in why_unreachable(make_endpoint(status="suspended").service, now=NOW)


def test_a_service_that_is_not_active_is_not_reached() -> None:
    assert "not active" in why_unreachable(make_service(active=False), now=NOW)
