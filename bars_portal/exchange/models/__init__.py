"""The message log, what people do about messages, and the network: credentials, partners, workers."""

from bars_portal.exchange.models.handling import DeadLetterDecision as DeadLetterDecision
from bars_portal.exchange.models.handling import Decision as Decision
from bars_portal.exchange.models.handling import Resending as Resending
from bars_portal.exchange.models.handling import Unmasking as Unmasking
from bars_portal.exchange.models.messages import GIVEN_UP as GIVEN_UP
from bars_portal.exchange.models.messages import LATE as LATE
from bars_portal.exchange.models.messages import NEVER_SENT as NEVER_SENT
from bars_portal.exchange.models.messages import NOT_READ as NOT_READ
from bars_portal.exchange.models.messages import OBSOLETE as OBSOLETE
from bars_portal.exchange.models.messages import TROUBLED as TROUBLED
from bars_portal.exchange.models.messages import UNCLEAR as UNCLEAR
from bars_portal.exchange.models.messages import DeliveryAttempt as DeliveryAttempt
from bars_portal.exchange.models.messages import DeliveryState as DeliveryState
from bars_portal.exchange.models.messages import InboundMessage as InboundMessage
from bars_portal.exchange.models.messages import InboundState as InboundState
from bars_portal.exchange.models.messages import OutboundMessage as OutboundMessage
from bars_portal.exchange.models.network import AccessToken as AccessToken
from bars_portal.exchange.models.network import CircuitChange as CircuitChange
from bars_portal.exchange.models.network import CircuitState as CircuitState
from bars_portal.exchange.models.network import Heartbeat as Heartbeat
from bars_portal.exchange.models.network import OrganisationConnection as OrganisationConnection
from bars_portal.exchange.models.network import PartnerCircuit as PartnerCircuit
from bars_portal.exchange.models.network import SeenCertificate as SeenCertificate
