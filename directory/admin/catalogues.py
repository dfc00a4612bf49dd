"""Catalogues: upload or fetch, look at what would change, apply; and what each one changed."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from bars_portal.accounts.acting import Acting, acting_in, actor_of
from bars_portal.accounts.models import Organisation
from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.staff_lists import PastDaysFilter
from bars_portal.audit.staff_pages import administers_everything
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.transport.client import CatalogueUnavailable
from directory.admin.forms import ODSCodesField
from directory.catalogue.comparing import KINDS, described, field_sentences, summary
from directory.catalogue.entries import BadCatalogue, Reach
from directory.models import CatalogueImport, ImportState, Source
from directory.policies import keeps_shared_directory, reach_of
from directory.services.catalogue import (
    CatalogueMoved,
    apply_catalogue,
    differences_of,
    fetch_known_organisations,
    preview_catalogue,
)

# A page must answer before its server gives up; the command has no such limit.
MOST_MEGABYTES = 10
SOURCES = [
    (Source.CSV.value, "A CSV list of services"),
    (Source.ROUTES.value, "The JSON catalogue of the BaRS proxy"),
    (Source.API.value, "The Endpoint Catalogue API"),
]


class CatalogueForm(forms.Form):
    """What cleans to the source, and either the file or the organisations to ask for."""

    source = forms.ChoiceField(label="What to read", choices=SOURCES, widget=forms.RadioSelect, initial="csv")
    file = forms.FileField(
        required=False,
        help_text=f"For CSV and JSON: up to {MOST_MEGABYTES} MB. "
        "Larger ones are read by manage.py import_catalogue.",
    )
    organisations = ODSCodesField(
        rows=2,
        help_text="For the API: ODS codes to ask for. Empty: every organisation that provides a service.",
    )
    provider = forms.ModelChoiceField(
        label="Organisation of new services",
        queryset=Organisation.objects.all(),
        required=False,
        help_text="For the JSON catalogue, which does not say whose its services are.",
    )

    def __init__(self, *args: Any, acting: Acting | None, everything: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shares = everything or keeps_shared_directory(acting)
        self._own = "" if acting is None else acting.organisation.ods_code
        if not self._shares:
            # What nobody names is not theirs to claim.
            del self.fields["provider"]
            self.fields["organisations"].help_text = "For the API: your own organisation is asked for."

    def clean_organisations(self) -> list[str]:
        codes: list[str] = self.cleaned_data["organisations"]
        if self._shares:
            return codes
        if set(codes) - {self._own}:
            raise ValidationError("You can ask for your own organisation only.", code="foreign")
        return [self._own]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if cleaned.get("source") != Source.API.value and not file and "file" not in self.errors:
            self.add_error("file", "Choose the file of the catalogue.")
        elif file and (file.size or 0) > MOST_MEGABYTES * 1024 * 1024:
            self.add_error(
                "file", f"The file is larger than {MOST_MEGABYTES} MB. Use manage.py import_catalogue for it."
            )
        return cleaned


_PER_PAGE = 50


@admin.register(CatalogueImport)
class CatalogueImportAdmin(ReadOnlyAdmin):
    owner = "organisation"
    whose = "of the organisation acted for; of the installation, for who keeps the shared directory"
    purpose = "Lists of services: read one, see every difference, then apply it."
    list_display = ("name", "source", "state", "read_at", "actor_label", "added", "changed", "removed")
    sortable_by = list_display
    list_filter = ["state", "source", ("read_at", PastDaysFilter)]
    search_fields = ["name", "actor_label"]
    search_help_text = "Part of the name of the file, or of whoever read it"

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return request.user.has_perm("directory.add_catalogueimport")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A file may be large, and a list shows none."""
        return super().get_queryset(request).defer("content")

    def seen(self, request: HttpRequest) -> Q:
        shared = Q(organisation=None) if keeps_shared_directory(acting_in(request)) else Q(pk__in=[])
        return super().seen(request) | shared

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Choose a catalogue; then its preview."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CatalogueForm(
            request.POST or None,
            request.FILES or None,
            acting=acting_in(request),
            everything=administers_everything(request),
        )
        faults: BadCatalogue | None = None
        if request.method == "POST" and form.is_valid():
            try:
                return HttpResponseRedirect(self._page(_preview(request, form.cleaned_data)))
            except BadCatalogue as refusal:
                faults = refusal
            except CatalogueUnavailable as problem:
                form.add_error(None, str(problem))
        return self._render(
            request, "upload", {"form": form, "refusal": faults, "title": "Import a catalogue"}
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What it would change, with the button; once applied, what it changed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        catalogue = self.get_object(request, object_id) if is_uuid(object_id) else None
        if catalogue is None:
            raise Http404("There is no such catalogue.")
        if request.method == "POST":
            return self._apply(request, catalogue)
        waiting = catalogue.state == ImportState.PREVIEWED
        shown = _preview_context(request, catalogue) if waiting else _applied_context(request, catalogue)
        self._record(request, "directory.view_catalogueimport", catalogue)
        may_apply = waiting and self.has_add_permission(request)
        context = {
            "catalogue": catalogue,
            "may_apply": may_apply,
            "title": f"Catalogue {catalogue.name}",
            **shown,
        }
        return self._render(request, "shown", context)

    def _apply(self, request: HttpRequest, catalogue: CatalogueImport) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            done = apply_catalogue(
                catalogue=catalogue,
                fingerprint=request.POST.get("fingerprint", ""),
                reach=_reach(request),
                actor=actor_of(request),
                now=timezone.now(),
            )
            self.message_user(request, "The catalogue is applied." if done else "It was applied already.")
        except CatalogueMoved:
            text = "The directory changed since you looked. Nothing is applied: look again."
            self.message_user(request, text, messages.WARNING)
        except BadCatalogue as refusal:
            self.message_user(request, f"Nothing is applied. {refusal}", messages.ERROR)
        return HttpResponseRedirect(self._page(catalogue))

    def _page(self, catalogue: CatalogueImport) -> str:
        return reverse(f"{self.admin_site.name}:directory_catalogueimport_change", args=[catalogue.pk])

    def _render(self, request: HttpRequest, page: str, context: dict[str, Any]) -> HttpResponse:
        everywhere = {**self.admin_site.each_context(request), "opts": self.opts}
        template = f"admin/directory/catalogueimport/{page}.html"
        # The portal's own pages are Jinja, and that engine is asked first.
        return TemplateResponse(request, template, {**everywhere, **context}, using="django")


def _reach(request: HttpRequest) -> Reach:
    return reach_of(acting_in(request), everything=administers_everything(request))


def _preview(request: HttpRequest, wanted: dict[str, Any]) -> CatalogueImport:
    """Raises BadCatalogue and CatalogueUnavailable."""
    file, reach, acting = wanted["file"], _reach(request), acting_in(request)
    shared = reach.everything or reach.unhosted or acting is None
    if wanted["source"] == Source.API.value:
        name, content = fetch_known_organisations(wanted["organisations"])
    else:
        name, content = str(file.name), file.read()
    preview = preview_catalogue(
        source=wanted["source"],
        name=name,
        content=content,
        provider=wanted.get("provider"),
        reach=reach,
        organisation=None if shared or acting is None else acting.organisation,
        actor=actor_of(request),
        now=timezone.now(),
    )
    return preview.catalogue


def _preview_context(request: HttpRequest, catalogue: CatalogueImport) -> dict[str, Any]:
    """As it is now: the directory may have changed since the file was read."""
    try:
        difference = differences_of(
            catalogue.source,
            bytes(catalogue.content),
            provider=catalogue.provider,
            reach=_reach(request),
        )
    except BadCatalogue as refusal:
        return {"refusal": refusal}
    return {
        "summary": summary(difference.counts),
        "rows": list(described(difference, most=_PER_PAGE)),
        "more": max(len(difference.changes) - _PER_PAGE, 0),
        "fingerprint": difference.fingerprint,
        "changes": len(difference.changes),
        "left_out": difference.left_out,
    }


def _applied_context(request: HttpRequest, catalogue: CatalogueImport) -> dict[str, Any]:
    changes = catalogue.changes.select_related("service").order_by("pk")
    page = Paginator(changes, _PER_PAGE).get_page(request.GET.get("p"))
    counts = {kind: getattr(catalogue, kind) for kind in (*KINDS, "unchanged")}
    return {
        "summary": summary(counts),
        "rows": [
            (each.service.service_id, KINDS[each.kind], tuple(field_sentences(each.fields, new=False)))
            for each in page.object_list
        ],
        "page": page,
    }
