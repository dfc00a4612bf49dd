"""Which part people, organisations and services play in a message, read from who points at them."""

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import as_dict, dicts

# (type, element, part played).
_ROLES = (
    ("MessageHeader", "sender", "sender"),
    ("MessageHeader", "responsible", "responsible"),
    ("ServiceRequest", "requester", "requester"),
    ("ServiceRequest", "performer", "asked to act"),
    ("Patient", "generalPractitioner", "the patient's GP"),
    ("Patient", "managingOrganization", "keeps the patient's record"),
    ("HealthcareService", "providedBy", "provides the service"),
    ("CarePlan", "author", "author of the plan"),
)


def roles_in(bundle: MessageBundle) -> dict[int, tuple[str, ...]]:
    """By identity of the resource."""
    found: dict[int, list[str]] = {}
    for kind, element, role in _ROLES:
        for resource in bundle.of_type(kind):
            for reference in _references(resource.get(element)):
                _note(found, bundle.resolve(reference), role)
    for destination in dicts(bundle.header.get("destination")):
        _note(found, bundle.resolve(as_dict(destination.get("receiver"))), "receiver")
    return {key: tuple(roles) for key, roles in found.items()}


def _references(value: object) -> list[Resource]:
    return list(dicts(value)) if isinstance(value, list) else [as_dict(value)]


def _note(found: dict[int, list[str]], resource: Resource | None, role: str) -> None:
    roles = found.setdefault(id(resource), [])
    if role not in roles:
        roles.append(role)
