"""Who looked: asking, the answer, and the answer as a file."""

from django.urls import path

from bars_portal.patients.looks.views import as_csv, results, search

app_name = "trail"
urlpatterns = [
    path("", search, name="search"),
    path("results/", results, name="results"),
    path("results.csv", as_csv, name="csv"),
]
