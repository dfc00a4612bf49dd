"""Forms of the worklist, of answers to received cases, and for taking back what was sent."""

from referrals.answer_forms.attending import NonAttendanceForm as NonAttendanceForm
from referrals.answer_forms.base import AnswerForm as AnswerForm
from referrals.answer_forms.outcome import OutcomeForm as OutcomeForm
from referrals.answer_forms.short import CadStatusForm as CadStatusForm
from referrals.answer_forms.short import CompleteForm as CompleteForm
from referrals.answer_forms.short import NoteForm as NoteForm
from referrals.answer_forms.short import RejectForm as RejectForm
from referrals.answer_forms.short import TakeBackForm as TakeBackForm
from referrals.answer_forms.worklist import WorklistForm as WorklistForm
