"""The message log's pages, under /messages/."""

from django.urls import path

from bars_portal.exchange.message_log.views import desk, log

app_name = "messages"

urlpatterns = [
    path("", log.log, name="log"),
    path("find/", log.find, name="find"),
    path("conversations/<uuid:key>/", log.conversation, name="conversation"),
    path("<uuid:message_id>/unmask/", log.unmask, name="unmask"),
    path("<uuid:message_id>/mask/", log.mask_again, name="mask-again"),
    path("unmaskings/", log.unmaskings, name="unmaskings"),
    path("unmaskings.csv", log.unmaskings_csv, name="unmaskings-csv"),
    path("dead-letters/", desk.dead_letters, name="dead-letters"),
    path("dead-letters/act/", desk.act, name="act"),
    path("dead-letters/decisions/<int:decision_id>/take-back/", desk.take_back, name="take-back"),
    path("<uuid:message_id>/send-as-new/", desk.ask, name="resend"),
    path("resendings/<int:resending_id>/", desk.agree, name="resending"),
    path("resendings/<int:resending_id>/withdraw/", desk.withdraw, name="withdraw-resending"),
    path("partners/", desk.partners, name="partners"),
    path("partners/<str:service_id>/", desk.partner, name="partner"),
]
