"""What every presenter may ask about the message around its own resource."""

from collections.abc import Callable
from dataclasses import dataclass

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.names import name_of
from referrals.presenters.message.reader import Part
from referrals.presenters.message.roles import roles_in
from referrals.presenters.message.values import reference_line

# The key of the group that an item belongs to, and the item.
Placed = tuple[str, Item]
Presenter = Callable[[Part, "Message"], list[Placed]]


@dataclass(frozen=True)
class Message:
    """The bundle, and which parts its resources play, by identity."""

    bundle: MessageBundle
    roles: dict[int, tuple[str, ...]]

    @classmethod
    def of(cls, bundle: MessageBundle) -> "Message":
        return cls(bundle, roles_in(bundle))

    def name(self, part: Part) -> str:
        return self.name_of(part.value)

    def name_of(self, resource: Resource) -> str:
        return name_of(resource, self.bundle)

    def title(self, part: Part) -> str:
        """Sender Organization: sender, requester"""
        roles = self.roles.get(id(part.value), ())
        name = self.name(part)
        return f"{name[:1].upper()}{name[1:]}" + (f" ({', '.join(roles)})" if roles else "")

    def about(self, part: Part, name: str = "subject", label: str = "About") -> list[Row]:
        """Whom it is about, unless it is the patient: the banner says that."""
        return self._unless(part, name, label, "Patient")

    def case(self, part: Part, name: str = "encounter") -> list[Row]:
        """In which case, where there is more than one."""
        several = len(self.bundle.of_type("Encounter")) > 1
        return self._unless(part, name, "Case", "" if several else "Encounter")

    def _unless(self, part: Part, name: str, label: str, kind: str) -> list[Row]:
        rows: list[Row] = []
        for each in part.parts(name):
            target = self.bundle.resolve(each.value) or {}
            if target.get("resourceType") != kind or "display" in each.value:
                rows.append(Row(label, tuple(reference_line(each, label))))
        return rows
