"""The message log and the stored token."""

from bars_portal.exchange.models.inbound import InboundMessage as InboundMessage
from bars_portal.exchange.models.inbound import InboundState as InboundState
from bars_portal.exchange.models.outbound import OBSOLETE as OBSOLETE
from bars_portal.exchange.models.outbound import UNCLEAR as UNCLEAR
from bars_portal.exchange.models.outbound import DeliveryAttempt as DeliveryAttempt
from bars_portal.exchange.models.outbound import DeliveryState as DeliveryState
from bars_portal.exchange.models.outbound import OutboundMessage as OutboundMessage
from bars_portal.exchange.models.token import AccessToken as AccessToken
