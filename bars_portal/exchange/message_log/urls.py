"""The message log's pages, under /messages/."""

from django.urls import path

from bars_portal.exchange.message_log import desk, views

app_name = "messages"

urlpatterns = [
    path("", views.log, name="log"),
    path("find/", views.find, name="find"),
    path("conversations/<uuid:key>/", views.conversation, name="conversation"),
    path("<uuid:message_id>/unmask/", views.unmask, name="unmask"),
    path("<uuid:message_id>/mask/", views.mask_again, name="mask-again"),
    path("unmaskings/", views.unmaskings, name="unmaskings"),
    path("unmaskings.csv", views.unmaskings_csv, name="unmaskings-csv"),
    path("dead-letters/", desk.dead_letters, name="dead-letters"),
    path("dead-letters/act/", desk.act, name="act"),
    path("dead-letters/decisions/<int:decision_id>/take-back/", desk.take_back, name="take-back"),
    path("partners/", desk.partners, name="partners"),
    path("partners/<str:service_id>/", desk.partner, name="partner"),
]
