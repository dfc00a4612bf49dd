"""Our own rules on REFREQ01 against the model library's validation of it, both from the parsed dict."""

from __future__ import annotations

import orjson
from pairs import compare, finish
from stage import SERVICE_ID, Json, bodies

BOUND = 0.3
PAIRS, REPEATS = 11, 100


def main() -> None:
    from fhir.resources.R4B.bundle import Bundle

    from bars_portal.exchange.fhir.bundle import MessageBundle
    from bars_portal.exchange.fhir.codes import UseCase
    from bars_portal.exchange.fhir.identifiers import ServiceID
    from bars_portal.exchange.fhir.rules import HostedService, judge
    from bars_portal.exchange.fhir.rules.table import ROWS

    service_id = ServiceID(SERVICE_ID)
    hosted = {service_id: HostedService(service_id, "RIV01", frozenset(UseCase))}
    raw: Json = orjson.loads(bodies(1)[0])

    def product() -> None:
        verdict = judge(MessageBundle(raw), find_service=hosted.get, workflows=ROWS)
        assert not verdict.issues, verdict.issues
        assert verdict.row is not None
        assert verdict.row.message_key == "referral-new"

    def floor() -> None:
        assert len(Bundle.model_validate(raw).entry or []) == len(raw["entry"])

    finish(
        compare(
            "Own rules on REFREQ01 against the model library",
            product,
            floor,
            bound=BOUND,
            pairs=PAIRS,
            repeats=REPEATS,
        )
    )


if __name__ == "__main__":
    main()
