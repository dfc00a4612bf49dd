"""The admin site: our own sign-in, and only for people whose role opens it."""

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from bars_portal.accounts.views import sign_out


class PortalAdminSite(AdminSite):
    site_header = "BaRS portal administration"
    site_title = "BaRS portal administration"
    index_title = "Services, diaries, messages and audit"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm("portal.open_admin")

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Sign in where everyone signs in, so that limits and audit are the same."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect(f"{reverse('accounts:sign-in')}?{urlencode({'next': request.get_full_path()})}")

    def logout(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """The portal's own, which is audited."""
        return sign_out(request)
