"""The wiring app: Celery, a system check that spans apps, and the admin site by task, with our sign-in."""

from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import slugify


class PortalConfig(AppConfig):
    name = "bars_portal"
    label = "portal"

    def ready(self) -> None:
        from bars_portal import database_log as database_log
        from bars_portal.celery import app as app
        from bars_portal.exchange.registry import autodiscover

        autodiscover()
        # The way back of every page of the administration names the section.
        for section in SECTIONS:
            for label in section.apps:
                apps.get_app_config(label).verbose_name = section.title


@register()
def database_is_postgresql(**_: Any) -> list[CheckMessage]:
    """Constraints, locks and partial indexes are PostgreSQL's: there is no other branch anywhere."""
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        return []
    return [Error("The portal runs on PostgreSQL only: see DATABASE_URL.", id="portal.E001")]


class PortalAdminConfig(AdminConfig):
    default_site = "bars_portal.apps.PortalAdminSite"


@dataclass(frozen=True)
class PortalPage:
    """A task that is a page of the portal. `permission` "" is for everybody."""

    title: str
    text: str
    url_name: str
    permission: str


@dataclass(frozen=True)
class Section:
    """What somebody does, in the order in which it is needed: pages of the portal, then lists of the
    administration ("app.model").
    """

    title: str
    pages: tuple[PortalPage, ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def apps(self) -> set[str]:
        return {each.partition(".")[0] for each in self.lists}

    @property
    def anchor(self) -> str:
        return slugify(self.title)


SECTIONS = (
    Section(
        "Today",
        (
            PortalPage("Today", "What waits for you, in numbers that are links.", "home", ""),
            PortalPage("Status", "What is wrong, and what to do.", "status:page", "status.view_condition"),
        ),
    ),
    Section(
        "Diaries",
        (
            PortalPage(
                "Diary", "Who comes when: block, add, move, print.", "bookings:diary", "bookings.view_diary"
            ),
            PortalPage(
                "Clinics",
                "Plan when your services see patients, and see first what changes.",
                "bookings:clinics",
                "bookings.run_diary",
            ),
            PortalPage(
                "Calls to make",
                "Who booked has to be told, by telephone.",
                "bookings:calls",
                "bookings.run_diary",
            ),
            PortalPage(
                "Waiting list of today",
                "Who wanted a time and found none.",
                "bookings:waiting",
                "bookings.run_diary",
            ),
            PortalPage(
                "Few free slots",
                "When you are told that a service is nearly full.",
                "bookings:capacity",
                "bookings.run_diary",
            ),
            PortalPage(
                "Calendar addresses",
                "Your diary in a calendar program, without patients.",
                "bookings:feeds",
                "bookings.run_diary",
            ),
        ),
        ("bookings.booking", "bookings.schedule", "bookings.slot"),
    ),
    Section(
        "Referrals",
        (
            PortalPage(
                "Worklist",
                "What others sent to your services, the most urgent first.",
                "referrals:worklist",
                "referrals.view_received_referrals",
            ),
            PortalPage(
                "Referrals sent",
                "What your organisation sent, and the replies.",
                "referrals:sent",
                "referrals.view_sent_referrals",
            ),
        ),
        (
            *("referrals.referral", "referrals.validationcase", "referrals.unmatchedreply"),
            *("referrals.breachrule", "referrals.listedcode"),
        ),
    ),
    Section(
        "Services",
        (
            PortalPage(
                "No referrals for now",
                "Stop a service for a while, with reason and end.",
                "directory:pauses",
                "directory.change_healthcareservice",
            ),
        ),
        (
            *("directory.healthcareservice", "directory.accessrule", "directory.catalogueimport"),
            *("directory.endpoint", "directory.servicecapability", "directory.capabilitychange"),
        ),
    ),
    Section(
        "Messages",
        (
            PortalPage(
                "Message log",
                "Everything sent and received, as conversations.",
                "messages:log",
                "exchange.view_message_log",
            ),
            PortalPage(
                "Messages that need a person",
                "Not delivered: try again, or say what was settled.",
                "messages:dead-letters",
                "exchange.handle_dead_letters",
            ),
            PortalPage(
                "Explain a message",
                "Paste one and read rule by rule what becomes of it.",
                "explain:paste",
                "exchange.explain_message",
            ),
            PortalPage(
                "Partners",
                "How the exchange with each service goes.",
                "messages:partners",
                "exchange.view_partners",
            ),
        ),
        ("exchange.inboundmessage", "exchange.outboundmessage", "exchange.partnercircuit"),
    ),
    Section(
        "Connection",
        (
            PortalPage(
                "Environments",
                "Keys, certificates, the endpoint catalogue and the self-test.",
                "onboarding:environments",
                "onboarding.run_desk",
            ),
        ),
        ("api.application", "api.webhook", "api.webhookdelivery"),
    ),
    Section(
        "People",
        (
            PortalPage(
                "People",
                "Who can do what: invite, change roles, record who left.",
                "accounts:people",
                "accounts.view_people",
            ),
        ),
        ("accounts.user", "accounts.organisation"),
    ),
    Section(
        "Audit",
        (
            PortalPage(
                "Who opened this record",
                "By patient, by person, or by case.",
                "trail:search",
                "audit.view_auditevent",
            ),
            PortalPage(
                "Break-glass access",
                "Who read records in an emergency, and why.",
                "accounts:break-glass-uses",
                "accounts.review_break_glass",
            ),
            PortalPage(
                "Unmasked messages",
                "Who saw what a message says of its patient, and why.",
                "messages:unmaskings",
                "exchange.view_unmaskings",
            ),
        ),
        ("audit.auditevent", "patients.patient", "patients.journey"),
    ),
    Section(
        "Reports",
        (
            PortalPage(
                "Reports",
                "What your organisation did, in numbers, charts and files.",
                "reports:index",
                "reports.view_exchange",
            ),
        ),
    ),
)


class PortalAdminSite(AdminSite):
    """Only for people whose role opens it."""

    site_header = site_title = "BaRS portal administration"
    index_title = "Staff area"
    # The sections are in the header of every page; beside a list there is no room for them too.
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Sections with what this person may open; Django's templates take them for apps."""
        apps_of_django = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps_of_django
        lists = {each["model"]._meta.label_lower: each for app in apps_of_django for each in app["models"]}
        told = (
            {
                "name": section.title,
                "app_label": section.anchor,
                "app_url": f"{reverse('admin:index')}#{section.anchor}",
                "has_module_perms": True,
                "models": [
                    *self._pages(request, section),
                    *(self._list(lists[label]) for label in section.lists if label in lists),
                ],
            }
            for section in SECTIONS
        )
        return [each for each in told if each["models"]]

    def _pages(self, request: HttpRequest, section: Section) -> list[dict[str, Any]]:
        """Of the portal, which asks for whom somebody acts; without an organisation there are none."""
        acting = getattr(request, "acting", None)
        if acting is None:
            return []
        return [
            {"name": each.title, "text": each.text, "admin_url": reverse(each.url_name)}
            for each in section.pages
            if not each.permission or acting.may(each.permission)
        ]

    def _list(self, told: dict[str, Any]) -> dict[str, Any]:
        page: Any = self.get_model_admin(told["model"])
        return {**told, "name": page.list_title, "text": page.purpose}

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        response = super().index(request, extra_context)
        # The portal's own pages are Jinja, and that engine is asked first.
        response.using = "django"
        return response

    def app_index(self, request: HttpRequest, app_label: str, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """An app is a part of a section, and no page of its own."""
        if not self.has_permission(request):
            return self.login(request)
        section = next((each for each in SECTIONS if app_label in each.apps), None)
        if section is None:
            raise Http404
        return redirect(f"{reverse('admin:index')}#{section.anchor}")

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm("portal.open_admin")

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Sign in where everyone signs in, so that limits and audit are the same."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect(f"{reverse('accounts:sign-in')}?{urlencode({'next': request.get_full_path()})}")

    def password_change(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """The portal's own, which is throttled and audited."""
        return redirect("accounts:change-password")

    def password_change_done(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        return redirect("accounts:change-password")

    def logout(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """The portal's own, which is audited."""
        from bars_portal.accounts.views import sign_out

        return sign_out(request)
