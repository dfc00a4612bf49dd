"""Which addresses this installation takes from a catalogue."""

from django.conf import settings

from directory.catalogue.addresses import AddressRules


def address_rules() -> AddressRules:
    """The proxy that we use is no receiver; only beside the simulator may a catalogue name what it plays."""
    bars = settings.BARS
    return AddressRules(proxies=(bars["BASE_URL"],), played=bars["ENVIRONMENT"] == "simulator")
