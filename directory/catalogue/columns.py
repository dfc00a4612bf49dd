"""The columns that catalogues may write, by their name in the model and their type in the database."""

SERVICE: dict[str, str] = {
    "name": "varchar",
    "service_type": "varchar",
    "active": "boolean",
    "address_lines": "jsonb",
    "postcode": "varchar",
    "phone": "varchar",
    "accepted_use_cases": "varchar[]",
    "takes_bookings": "boolean",
    "takes_referrals": "boolean",
    "requires_booking": "boolean",
    "allowed_callers": "varchar[]",
    "opening_hours": "jsonb",
    "bank_holiday_hours": "jsonb",
    "referral_roles": "varchar[]",
    "catchment_miles": "float8",
    "catalogue_id": "uuid",
    "source": "varchar",
}
ENDPOINT: dict[str, str] = {
    "name": "varchar",
    "status": "varchar",
    "connection_type": "varchar",
    "payload_type": "varchar",
    "address": "varchar",
    "private": "boolean",
    "period_start": "timestamptz",
    "period_end": "timestamptz",
    "catalogue_id": "uuid",
    "source": "varchar",
}
# What a new row is where its source does not say.
NEW_SERVICE = {
    "service_type": "other",
    "active": True,
    "address_lines": [],
    "postcode": "",
    "phone": "",
    "accepted_use_cases": [],
    "takes_bookings": True,
    "takes_referrals": False,
    "requires_booking": False,
    "allowed_callers": [],
    "opening_hours": {},
    "bank_holiday_hours": None,
    "referral_roles": [],
    "catchment_miles": None,
    "catalogue_id": None,
}
NEW_ENDPOINT = {
    "connection_type": "hl7-fhir-rest",
    "payload_type": "bars",
    "private": False,
    "period_start": None,
    "period_end": None,
    "catalogue_id": None,
}
