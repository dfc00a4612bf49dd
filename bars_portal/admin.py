"""The admin site: our own sign-in, and only for people whose role opens it."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode


class PortalAdminSite(AdminSite):
    site_header = "BaRS portal administration"
    site_title = "BaRS portal administration"
    index_title = "Services, diaries, messages and audit"
    enable_nav_sidebar = True

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Sign in where everyone signs in, so that limits and audit are the same."""
        if request.user.is_authenticated and not self.has_permission(request):
            from django.core.exceptions import PermissionDenied

            raise PermissionDenied
        return redirect(f"{reverse('accounts:sign-in')}?{urlencode({'next': request.get_full_path()})}")
