"""The Booking and Referral Standard, and every byte on the wire."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "bars_portal.exchange"
    label = "exchange"
    verbose_name = "Exchange"

    def ready(self) -> None:
        from bars_portal.audit import presenters

        presenters.register(
            {
                "exchange.read": "Read over the interface",
                "exchange.receive_message": "Sent us a message",
                "exchange.explain_message": "Had a message explained",
                "exchange.explain_pasted": "Had a pasted message explained",
                "exchange.replay_message": "Tried a message again, keeping nothing (dry run)",
                "exchange.view_log": "Opened the message log",
                "exchange.view_conversation": "Opened a conversation, patient's values masked",
                "exchange.unmask_message": "Unmasked a message",
                "exchange.view_unmasked_message": "Saw a message unmasked",
                "exchange.mask_message": "Masked a message again",
                "exchange.view_unmaskings": "Opened the report of unmasked messages",
                "exchange.export_unmaskings": "Saved the report of unmasked messages as a file",
                "exchange.view_dead_letters": "Opened the messages that need a person",
                "exchange.try_again": "Queued a message to go out again",
                "exchange.set_aside": "Set aside a message that was not delivered",
                "exchange.ask_to_resend": "Asked to send a message that was given up as a new one",
                "exchange.resend_message": "Sent a message that was given up as a new one",
                "exchange.withdraw_resending": "Withdrew that a message is sent as a new one",
                "exchange.settled": "Marked a message as settled with the service",
                "exchange.take_back_decision": "Put a message back to those that need a person",
            }
        )
