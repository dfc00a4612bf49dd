"""Reports, the files of their tables, and the lists behind their numbers."""

from django.urls import path

from bars_portal.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:name>/", views.report, name="report"),
    path("<slug:name>/file/<slug:cut>/", views.file, name="file"),
    path("<slug:name>/list/", views.rows, name="list"),
    path("<slug:name>/list/file/", views.rows_file, name="list-file"),
]
