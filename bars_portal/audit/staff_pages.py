"""The base of every staff page: whose rows it shows, what its address may ask, what the trail says of it, and
its words.

This room knows of no sign-in: what it needs of the person hangs on the request and on its user.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import flatten
from django.contrib.admin.views.main import IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db.models import BooleanField, DateField, Field, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.audit.staff_lists import ListedChangeList, ThereFilter, field_at, of_keys, wanted_by
from bars_portal.nhsuk.pages import RowPaginator, handler400

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

# What each kind of filter writes into an address behind the field's name; {pk}: that of the related model.
_WRITTEN_BY_FILTERS: dict[type[admin.FieldListFilter], tuple[str, ...]] = {
    ThereFilter: ("__{pk}__exact", "__isnull", "__asked"),
    admin.RelatedFieldListFilter: ("__{pk}__exact", "__isnull"),
    admin.BooleanFieldListFilter: ("__exact", "__isnull"),
    admin.ChoicesFieldListFilter: ("__exact", "__isnull"),
    admin.DateFieldListFilter: ("__gte", "__lt", "__isnull"),
    admin.AllValuesFieldListFilter: ("", "__isnull"),
    admin.EmptyFieldListFilter: ("__isempty",),
}
_YES_NO: "tuple[type[Field[Any, Any]], ...]" = (BooleanField,)
_PARTS_OF_DATES = ("__year", "__month", "__day")


def acts_for(request: HttpRequest) -> int | None:
    """The primary key of the organisation that the person acts for."""
    found: int | None = getattr(request.user, "acting_organisation_id", None)
    return found


def administers_everything(request: HttpRequest) -> bool:
    """Superusers set the installation up; they need not belong to an organisation."""
    return bool(getattr(request.user, "is_superuser", False))


def reader_of(request: HttpRequest) -> Actor:
    """Who looks, as the trail names them."""
    acting = getattr(request, "acting", None)
    if acting is not None:
        actor: Actor = acting.actor
        return actor
    return Actor(label=str(request.user), user_id=request.user.pk)


def yes_or_no(value: bool | None) -> str:
    return "Not known" if value is None else "Yes" if value else "No"


class Shown:
    """A field of the model as a page shows it: under the page's own word, and a yes or no in words.

    Django draws a green tick for yes and a red cross for no: a safeguarding concern looked like good
    news, and none of it like an alarm.
    """

    def __init__(self, field: "Field[Any, Any]", heading: str) -> None:
        self.__name__ = self.admin_order_field = field.name
        self.short_description = heading
        self._field = field

    def __call__(self, row: Any) -> Any:
        if self._field.choices:
            return getattr(row, f"get_{self._field.name}_display")()
        value = getattr(row, self._field.name)
        if isinstance(self._field, BooleanField):
            return yes_or_no(value)
        return "-" if value is None else value


class StaffAdmin(_ModelAdmin):
    """A page of the administration.

    `owner` is the path from a row to the organisation that it belongs to, such as "service__provider"; None
    for rows that all organisations share. People see and change rows of the organisation that they act for,
    superusers all. What an address asks for beyond the filters, the date hierarchy and the search of the page
    is answered with 400, whatever the answer would be: values that the page masks must not be read piece by
    piece.
    """

    owner: ClassVar[str | None]
    # In words, for docs/permissions.md, where `owner` does not say it.
    whose: ClassVar[str] = "of the organisation acted for"
    show_facets = admin.ShowFacets.NEVER
    # How many rows there are besides those that were searched for, nobody asked; it is one more count of all.
    show_full_result_count = False
    paginator = RowPaginator
    # The action by which the trail tells that one row was looked at; "" is <room>.view_<model>.
    view_action: ClassVar[str] = ""
    list_per_page = 50
    # The heading of the list; "" is the model's own name.
    called: ClassVar[str] = ""
    # What somebody does there, for the index.
    purpose: ClassVar[str] = ""
    # What a field is called and what it means, where its own name does not say it.
    labels: ClassVar[Mapping[str, str]] = {}
    help_texts: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shown: dict[str, Shown] = {}

    # Whose rows.

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows if administers_everything(request) else rows.filter(self.seen(request))

    def seen(self, request: HttpRequest) -> Q:
        """Which rows a person sees who is no superuser."""
        if self.owner is None:
            return Q()
        organisation_id = acts_for(request)
        return Q(**{self.owner: organisation_id}) if organisation_id is not None else Q(pk__in=[])

    def related_rows(self, request: HttpRequest, name: str) -> dict[str, Any] | None:
        """Which rows of a related model are of the same organisation; None where `owner` does not say."""
        if administers_everything(request):
            return {}
        path, _, rest = (self.owner or "").partition("__")
        return {rest or "pk": acts_for(request)} if path == name else None

    def owner_of(self, row: Any) -> int | None:
        """The primary key of the organisation that a row belongs to."""
        if self.owner is None:
            return None
        *path, last = self.owner.split("__")
        for name in path:
            row = getattr(row, name)
        found: int | None = row.pk if last == "pk" else getattr(row, f"{last}_id")
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            self._note_what_was_tried(request, object_id)
        return found

    def _note_what_was_tried(self, request: HttpRequest, object_id: str) -> None:
        """For RefusalMiddleware, which writes it down after this transaction, which is rolled back."""
        with suppress(ValueError, ValidationError):
            row = self.model._base_manager.filter(pk=self.opts.pk.to_python(object_id)).first()
            if row is not None:
                request.refused_row = (row, self.owner_of(row))  # type: ignore[attr-defined]  # read by the middleware

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Django's own would be a redirect: what is not theirs is not there, as on every other page."""
        raise Http404

    # What it says.

    @property
    def list_title(self) -> str:
        return self.called or capfirst(str(self.opts.verbose_name_plural))

    def named(self, row: Any) -> str:
        """So that one row is told from another: before many are changed, and above its history."""
        return str(row)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        told = {"list_title": self.list_title, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, told)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        told = {"list_title": self.list_title, **(extra_context or {})}
        return super().delete_view(request, object_id, told)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """The way back is called as its heading is, on every page."""
        told = {"module_name": self.list_title, **(extra_context or {})}
        response: Any = super().history_view(request, object_id, told)
        named = self.named(response.context_data["object"])
        response.context_data |= {"title": f"Change history: {named}", "named": named}
        return response

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Fields that are only shown take their words from the form too."""
        meta = getattr(self.form, "Meta", None)
        for name in ("labels", "help_texts"):
            kwargs[name] = {**(getattr(meta, name, None) or {}), **getattr(self, name)}
        return super().get_form(request, obj, change=change, **kwargs)

    def action_checkbox(self, obj: Any) -> SafeString:
        """As Django draws it, who asks a widget and two templates for each row."""
        words = f"Select this object for an action - {obj}"
        box = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">'
        return format_html(box, ACTION_CHECKBOX_NAME, obj.pk, words)

    def get_list_display(self, request: HttpRequest) -> Any:
        return [self._in_words(name) for name in super().get_list_display(request)]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Who only reads a yes or no reads it in words, and no name leads to a page that is not theirs."""
        form = context["adminform"]
        known = {
            each: self._unlinked(each)
            if self._leads_nowhere(request, each)
            else self._in_words(each, _YES_NO)
            for each in form.readonly_fields
        }
        form.readonly_fields = list(known.values())
        form.fieldsets = [
            (heading, {**told, "fields": [known.get(each, each) for each in flatten(told["fields"])]})
            for heading, told in form.fieldsets
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def _leads_nowhere(self, request: HttpRequest, name: Any) -> bool:
        """Django links each related row that has a page, whoever looks."""
        field: Any = _known_fields(self.model).get(name)
        related = getattr(field, "related_model", None)
        if related is None or not self.admin_site.is_registered(related):
            return False
        page: Any = self.admin_site.get_model_admin(related)
        return not page.has_view_or_change_permission(request)

    def _unlinked(self, name: str) -> Shown:
        field: Any = _known_fields(self.model)[name]
        return self._shown.setdefault(name, Shown(field, self.labels.get(name, str(field.verbose_name))))

    def _in_words(self, name: Any, of: "tuple[type[Field[Any, Any]], ...]" = (Field,)) -> Any:
        """The same for the same name: what sorts a column is looked up by it."""
        field: Any = _known_fields(self.model).get(name)
        words = self.labels.get(name, "")
        if not isinstance(field, of) or not (words or isinstance(field, BooleanField)):
            return name
        return self._shown.setdefault(name, Shown(field, words or str(field.verbose_name)))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The two boxes of a moment have no labels of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.SplitDateTimeField):
            for box, part in zip(field.widget.widgets, ("date", "time"), strict=True):
                box.attrs["aria-label"] = f"{field.label}: {part}"
        return field

    # What an address may ask.

    def lookup_allowed(self, lookup: str, value: object, request: HttpRequest | None = None) -> bool:
        return lookup in self.listed_lookups(request)

    def listed_lookups(self, request: HttpRequest | None) -> frozenset[str]:
        """Names of parameters that the page's own filters and its date hierarchy write."""
        filters = self.get_list_filter(request) if request is not None else self.list_filter
        dates = [f"{self.date_hierarchy}{part}" for part in _PARTS_OF_DATES] if self.date_hierarchy else []
        return frozenset([*dates, *(name for each in filters for name in _written_by(self.model, each))])

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Only columns that are listed for it: without a list none."""
        return [self._in_words(name) for name in self.sortable_by or ()]

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field in ("id", self.opts.pk.name)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The keys first, and once: the count, the page and the days each ask of those."""
        names = [str(each) for each in self.get_search_fields(request)]
        if not search_term.strip() or not names:
            return queryset, False
        return of_keys(queryset, wanted_by(self.model, names, search_term)), False

    # What the trail says.

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        asked = set(request.GET) - {*IGNORED_PARAMS, PAGE_VAR, "e"}
        if not asked <= self.listed_lookups(request):
            return handler400(request, SuspiciousOperation())
        response = super().changelist_view(request, extra_context)
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            names = sorted(asked | ({SEARCH_VAR} if request.GET.get(SEARCH_VAR) else set()))
            self._record(request, f"{self.opts.app_label}.view_list", filters=", ".join(names))
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        shown = (getattr(response, "context_data", None) or {}).get("original")
        if request.method in ("GET", "HEAD") and shown is not None:
            action = self.view_action or f"{self.opts.app_label}.view_{self.opts.model_name}"
            self._record(request, action, shown)
        return response

    def _record(self, request: HttpRequest, action: str, row: Any = None, **detail: str) -> None:
        """One row is told to the organisation that it belongs to, whoever looks."""
        actor = reader_of(request)
        owner = self.owner_of(row) if row is not None else None
        if owner is not None:
            actor = replace(actor, organisation_id=owner)
        told = {"of": str(self.opts.model_name), **detail} if row is None else detail
        kept = {name: value for name, value in told.items() if value}
        record(actor=actor, action=action, subject=row, detail=kept, now=timezone.now())


def _written_by(model: type[Model], each: Any) -> Iterator[str]:
    """The parameters of one entry of `list_filter`."""
    if isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
        yield str(each.parameter_name)
        return
    path, kind = each if isinstance(each, tuple | list) else (each, None)
    field = field_at(model, path)
    kind = kind or _usual_filter(field)
    written = next(names for known, names in _WRITTEN_BY_FILTERS.items() if issubclass(kind, known))
    target = field.target_field.name if field.is_relation else ""
    for name in written:
        yield f"{path}{name.format(pk=target)}"


def _known_fields(model: type[Model]) -> dict[Any, Any]:
    return {each.name: each for each in model._meta.concrete_fields}


def _usual_filter(field: Any) -> type[admin.FieldListFilter]:
    """Which filter the administration itself would choose: a test compares."""
    if field.is_relation:
        return admin.RelatedFieldListFilter
    if isinstance(field, BooleanField):
        return admin.BooleanFieldListFilter
    if field.choices:
        return admin.ChoicesFieldListFilter
    return admin.DateFieldListFilter if isinstance(field, DateField) else admin.AllValuesFieldListFilter
