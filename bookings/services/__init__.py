"""The only writers of diaries and bookings; one module a theme."""

from bookings.services.cancelling import find_cancelled as find_cancelled
from bookings.services.cancelling import request_cancel as request_cancel
from bookings.services.checking import check_again as check_again
from bookings.services.diaries import block_slots as block_slots
from bookings.services.diaries import free_slots as free_slots
from bookings.services.diaries import generate_slots as generate_slots
from bookings.services.diaries import save_schedule as save_schedule
from bookings.services.drafts import approve_time as approve_time
from bookings.services.drafts import change_draft_slot as change_draft_slot
from bookings.services.drafts import discard_draft as discard_draft
from bookings.services.drafts import open_draft as open_draft
from bookings.services.drafts import purge_drafts as purge_drafts
from bookings.services.drafts import save_draft_patient as save_draft_patient
from bookings.services.rebooking import start_rebooking as start_rebooking
from bookings.services.requesting import request_booking as request_booking
from bookings.services.status import change_status as change_status
from bookings.services.telling import mark_patient_told as mark_patient_told
from bookings.services.telling import record_view as record_view
