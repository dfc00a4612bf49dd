"""Applications and what they are allowed, what happened for them to follow, and where it is posted."""

from bars_portal.api.models.applications import ApiToken as ApiToken
from bars_portal.api.models.applications import Application as Application
from bars_portal.api.models.applications import ApplicationSecret as ApplicationSecret
from bars_portal.api.models.applications import ApplicationUsage as ApplicationUsage
from bars_portal.api.models.applications import KeyedRequest as KeyedRequest
from bars_portal.api.models.applications import SpentAssertion as SpentAssertion
from bars_portal.api.models.events import Event as Event
from bars_portal.api.models.events import EventStream as EventStream
from bars_portal.api.models.webhooks import DeliveryState as DeliveryState
from bars_portal.api.models.webhooks import OffReason as OffReason
from bars_portal.api.models.webhooks import Webhook as Webhook
from bars_portal.api.models.webhooks import WebhookAttempt as WebhookAttempt
from bars_portal.api.models.webhooks import WebhookDelivery as WebhookDelivery
