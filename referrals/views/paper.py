"""A received case as a PDF: what leaves the portal is recorded."""

from pathlib import Path
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import acting_of, name_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.nhsuk.pdf import render_pdf
from referrals import services
from referrals.permissions import VIEW
from referrals.presenters.paper import paper_of
from referrals.presenters.received import message_of
from referrals.states import Category, Direction
from referrals.views.lookup import clock
from referrals.views.received import page_of

_TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "referrals" / "case.typ"
# Nothing of the patient, not even our reference, in the name of a file.
_NAMES = {Category.REFERRAL: "referral.pdf", Category.VALIDATION: "validation-request.pdf"}


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def case_pdf(request: HttpRequest, case_id: UUID) -> HttpResponse:
    page, acting, now = page_of(request, case_id), acting_of(request), clock()
    services.record_case_export(case=page.case, acting=acting, now=now)
    paper = paper_of(page, message_of(page.case, now), now=now, printed_by=name_of(acting.user))
    response = HttpResponse(render_pdf(_TEMPLATE, paper), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{_NAMES[page.case.category]}"'
    return response
