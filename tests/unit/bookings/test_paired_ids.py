"""The UUID of a fullUrl never is the resource's own id."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.identifiers import is_uuid
from bookings.models.diary import paired_id


@given(st.uuids())
def test_each_id_has_a_pair_of_its_own(ident: UUID) -> None:
    pair = paired_id(ident)
    assert is_uuid(pair)
    assert pair != str(ident)
    # It leads back, so no other id has the same.
    assert paired_id(UUID(pair)) == str(ident)
