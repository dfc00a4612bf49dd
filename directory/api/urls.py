"""Below /api/v1/."""

from django.urls import re_path

from directory.api import services

urlpatterns = [
    re_path(r"^services/?$", services.ServiceList.as_view(), name="api-services"),
    re_path(r"^services/(?P<service_id>[0-9]{1,20})/?$", services.OneService.as_view(), name="api-service"),
]
