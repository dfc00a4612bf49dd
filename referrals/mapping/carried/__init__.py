"""What a received request says, as a clinician here would state it: the draft of an onward referral."""

from referrals.mapping.carried.whole import carried_content as carried_content
