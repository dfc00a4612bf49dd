"""The onboarding desk, under /onboarding/."""

from django.urls import path

from bars_portal.onboarding import views

app_name = "onboarding"

urlpatterns = [
    path("", views.environments, name="environments"),
    path("keys/<str:ods_code>/<str:environment>.json", views.key_set, name="key-set"),
    path("<slug:environment>/", views.desk, name="desk"),
    path("<slug:environment>/<slug:step_name>/", views.step, name="step"),
]
