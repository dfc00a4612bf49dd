"""The message log, the stored token, and which partners answer."""

from bars_portal.exchange.models.circuit import CircuitChange as CircuitChange
from bars_portal.exchange.models.circuit import CircuitState as CircuitState
from bars_portal.exchange.models.circuit import PartnerCircuit as PartnerCircuit
from bars_portal.exchange.models.credentials import AccessToken as AccessToken
from bars_portal.exchange.models.credentials import OrganisationConnection as OrganisationConnection
from bars_portal.exchange.models.heartbeat import Heartbeat as Heartbeat
from bars_portal.exchange.models.inbound import InboundMessage as InboundMessage
from bars_portal.exchange.models.inbound import InboundState as InboundState
from bars_portal.exchange.models.inbound import SeenCertificate as SeenCertificate
from bars_portal.exchange.models.outbound import GIVEN_UP as GIVEN_UP
from bars_portal.exchange.models.outbound import LATE as LATE
from bars_portal.exchange.models.outbound import NEVER_SENT as NEVER_SENT
from bars_portal.exchange.models.outbound import NOT_READ as NOT_READ
from bars_portal.exchange.models.outbound import OBSOLETE as OBSOLETE
from bars_portal.exchange.models.outbound import TROUBLED as TROUBLED
from bars_portal.exchange.models.outbound import UNCLEAR as UNCLEAR
from bars_portal.exchange.models.outbound import DeadLetterDecision as DeadLetterDecision
from bars_portal.exchange.models.outbound import Decision as Decision
from bars_portal.exchange.models.outbound import DeliveryAttempt as DeliveryAttempt
from bars_portal.exchange.models.outbound import DeliveryState as DeliveryState
from bars_portal.exchange.models.outbound import OutboundMessage as OutboundMessage
from bars_portal.exchange.models.outbound import Resending as Resending
from bars_portal.exchange.models.unmasking import Unmasking as Unmasking
