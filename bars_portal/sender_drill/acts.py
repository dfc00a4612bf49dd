"""Every act that a row may name."""

from collections.abc import Callable, Mapping

from bars_portal.sender_drill import answer_acts, booking_acts, request_acts, stateful_acts
from bars_portal.sender_drill.desk import Desk
from bars_portal.sender_drill.rows import Row
from bars_portal.sender_drill.told import Told

Act = Callable[[Desk, Row], Told]
ACTS: Mapping[str, Act] = {
    "find slots": booking_acts.find_slots,
    "book": booking_acts.book,
    "cancel": booking_acts.cancel,
    "read booking": booking_acts.read_booking,
    "ask what it takes": request_acts.ask_what_it_takes,
    "refer": request_acts.refer,
    "refer and hear": request_acts.refer_and_hear,
    "update referral": request_acts.update_referral,
    "take back referral": request_acts.take_back_referral,
    "read referral": request_acts.read_referral,
    "validate": request_acts.validate,
    "validate and hear": request_acts.validate_and_hear,
    "validate and hear what fits no request": request_acts.validate_and_hear_unmatched,
    "validate and read": request_acts.validate_and_read,
    "update validation": request_acts.update_validation,
    "take back validation": request_acts.take_back_validation,
    "read validation": request_acts.read_validation,
    "stateful: book": stateful_acts.book_once,
    "stateful: book twice": stateful_acts.book_twice,
    "stateful: cancel": stateful_acts.cancel_it,
    "stateful: refer": stateful_acts.refer_linked,
    "stateful: refer twice": stateful_acts.refer_twice,
    "stateful: refer without naming the booking": stateful_acts.refer_mislinked,
    "stateful: refer without a booking": stateful_acts.refer_without_booking,
    "stateful: take the referral back": stateful_acts.take_referral_back,
    "stateful: book after the referral": stateful_acts.book_after_referral,
    "stateful: cancel after the referral": stateful_acts.cancel_after_referral,
    "answer: started": answer_acts.answer_started,
    "answer: outcome": answer_acts.answer_outcome,
    "answer: did not attend": answer_acts.answer_did_not_attend,
}
