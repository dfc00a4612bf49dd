"""What an application may read of itself: who it is, what it may do, and how much it has asked."""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.forms import unknown_parameters
from bars_portal.api.headers import conditional
from bars_portal.api.operations import Operation, component, moment, object_of, optional, text
from bars_portal.api.problems import invalid
from bars_portal.api.usage import KEPT_FOR, STEPS, usage_of
from bars_portal.api.views import ApiView

_TAG = "Applications"
OWN_APPLICATION = component(
    "Application",
    object_of(
        {
            "id": text("The application's own id.", format="uuid"),
            "name": text(),
            "organisation": object_of({"ods_code": text(), "name": text()}),
            "scopes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What the token allows.",
            },
            "services": {
                "type": "array",
                "items": {"type": "string"},
                "description": "DoS service ids that it may act for; empty: all.",
            },
            "roles": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What it may state in X-Acting-User.",
            },
            "requests_a_minute": {"type": "integer"},
            "expires_at": optional(moment("When the application ends.")),
        }
    ),
)


class OwnApplication(ApiView):
    """Who the caller is, and what its token allows: the first thing to try."""

    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-own-application",
            "Who am I, and what may I do?",
            None,
            {200: OWN_APPLICATION},
            tag=_TAG,
            is_conditional=True,
        )
    }

    def get(self, request: Request) -> Response:
        application, organisation = self.caller.application, self.acting.organisation
        ends = application.expires_at
        body = {
            "id": str(application.pk),
            "name": application.name,
            "organisation": {"ods_code": organisation.ods_code, "name": organisation.name},
            "scopes": sorted(each.value for each in self.caller.scopes),
            "services": application.service_ids,
            "roles": application.roles,
            "requests_a_minute": application.requests_a_minute,
            "expires_at": ends.isoformat() if ends else None,
        }
        return conditional(request, body)


def _count(description: str) -> dict[str, object]:
    return {"type": "integer", "minimum": 0, "description": description}


USAGE = component(
    "Usage",
    object_of(
        {
            "days": {
                "type": "array",
                "items": object_of(
                    {
                        "day": text("In London.", format="date"),
                        "requests": _count("Those that had a valid token."),
                        "refused": _count("Answered 4xx, too many requests among them."),
                        "failed": _count("Answered 5xx."),
                        "milliseconds_95": _count(
                            "95 of 100 were answered within; as coarse as its steps, "
                            f"{STEPS[0]} to {STEPS[-1]}. A wait by Prefer counts with it."
                        ),
                    }
                ),
                "description": f"The last {KEPT_FOR.days} days with any, the newest first.",
            }
        }
    ),
)


class OwnUsage(ApiView):
    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-own-usage",
            "How much have I asked, and how was it answered?",
            None,
            {200: USAGE},
            description="Some seconds behind.",
            tag=_TAG,
        )
    }

    def get(self, request: Request) -> Response:
        faults = list(unknown_parameters(request, frozenset()))
        if faults:
            raise invalid(faults)
        days = [
            {
                "day": each.day.isoformat(),
                "requests": each.requests,
                "refused": each.refused,
                "failed": each.failed,
                "milliseconds_95": each.milliseconds,
            }
            for each in usage_of(self.caller.application)
        ]
        return Response({"days": days})
