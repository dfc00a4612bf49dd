"""Reports, the files of their tables, and the lists behind their numbers."""

from django.urls import path

from bars_portal.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:report_name>/", views.report, name="report"),
    path("<slug:report_name>/file/<slug:cut>/", views.file, name="file"),
    path("<slug:report_name>/list/", views.rows, name="list"),
    path("<slug:report_name>/list/file/", views.rows_file, name="list-file"),
]
