"""Who was asked, and who only has the request."""

import pytest

from bars_portal.accounts.models import Organisation
from directory.models import HealthcareService
from referrals.cases.models import Referral
from referrals.receiving.responses import is_asked

ASKED = "2000099001"


@pytest.mark.parametrize(
    ("provider", "source_service_id", "ods_code", "was_asked"),
    [
        ("RX111", ASKED, "", True),
        ("RX111", ASKED, "OTHER", True),
        ("RX111", "", "rx111", True),
        ("RX111", "2000099002", "RX111", True),
        ("RX111", "2000099002", "OTHER", False),
        ("RX111", "", "", False),
        # No name is nobody's.
        ("", "", "", False),
    ],
)
def test_the_service_or_its_organisation(
    provider: str, source_service_id: str, ods_code: str, was_asked: bool
) -> None:
    service = HealthcareService(service_id=ASKED, provider=Organisation(ods_code=provider))
    case = Referral(service=service)
    assert is_asked(case, source_service_id=source_service_id, ods_code=ods_code) is was_asked
