"""Patients as a message told us about them, and the journeys their messages belong to."""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from bars_portal.accounts.models import Organisation
from bars_portal.nhsuk.dates import format_short
from bars_portal.patients.details import Limit, OtherNumber


class Gender(models.TextChoices):
    """Patient.gender (FHIR administrative-gender)."""

    MALE = "male", "Male"
    FEMALE = "female", "Female"
    OTHER = "other", "Other"
    UNKNOWN = "unknown", "Unknown"


class Journey(models.Model):
    """One case of one organisation: bookings, referrals, replies and onward referrals share its ids."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="journeys")
    # EpisodeOfCare/<uuid> in Encounter.episodeOfCare; empty until a received case tells it (bookings do not).
    journey_id = models.UUIDField(null=True, blank=True)
    # X-Correlation-ID of the conversation.
    correlation_id = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "journey_id"], name="journey_once"),
            # A case keeps both ids, onward referrals included (standard section 9, "Journey").
            models.UniqueConstraint(
                fields=["organisation", "correlation_id"], name="journey_correlation_once"
            ),
        ]

    def __str__(self) -> str:
        return f"Case begun {format_short(self.created_at)}"


class Patient(models.Model):
    """A patient of one organisation. Everything but the journey may be missing (standard section 6)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="patients")
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="patients")
    nhs_number = models.CharField("NHS number", max_length=10, blank=True)
    nhs_number_verified = models.BooleanField("NHS number verified", default=False)
    # The declaration that it was traced: in which system, by whom, when. By a message: as its sender says.
    traced_in = models.CharField(max_length=Limit.SOURCE, blank=True, default="", db_default="")
    traced_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    traced_at = models.DateTimeField(null=True, blank=True)
    prefix = models.CharField("title", max_length=35, blank=True)
    given_names = models.CharField(max_length=140, blank=True)
    family_name = models.CharField(max_length=140, blank=True)
    gender = models.CharField(max_length=10, choices=Gender.choices, blank=True)
    birth_date = models.DateField("date of birth", null=True, blank=True)
    # A FHIR date without its day, or month, where no more is known: 1984-07, 1984.
    birth_partly = models.CharField(max_length=7, blank=True, default="", db_default="")
    # Patient.deceased[x]: when, or details.DIED.
    died = models.CharField(max_length=Limit.DIED, blank=True, default="", db_default="")
    address_lines = models.JSONField(default=list, blank=True)
    # Address.use: home is the official residence; "" where nobody said.
    address_use = models.CharField(max_length=10, blank=True, default="", db_default="")
    postcode = models.CharField(max_length=10, blank=True)
    # Codes of UKCore-HumanLanguage (preferred) and UKCore-EthnicCategory.
    language = models.CharField(max_length=Limit.CODE, blank=True, default="", db_default="")
    ethnic_category = models.CharField(max_length=Limit.CODE, blank=True, default="", db_default="")
    # Which of the address lines are these.
    city = models.CharField(max_length=Limit.LINE, blank=True, default="", db_default="")
    district = models.CharField(max_length=Limit.LINE, blank=True, default="", db_default="")
    # The surgery (Patient.generalPractitioner): ODS code and name.
    practice_code = models.CharField(max_length=Limit.CODE, blank=True, default="", db_default="")
    practice_name = models.CharField(max_length=Limit.LINE, blank=True, default="", db_default="")
    # The number of another system, or with no system that of this organisation.
    local_number = models.CharField(max_length=Limit.LOCAL_NUMBER, blank=True, default="", db_default="")
    local_number_system = models.CharField(max_length=Limit.LINE, blank=True, default="", db_default="")
    # NHS numbers beside `nhs_number`: [{"value", "verified", "superseded"}].
    other_numbers = models.JSONField(
        default=list, blank=True, db_default=models.Value([], output_field=models.JSONField())
    )
    # bars_portal.values.name_key of all names; "" also in a row that an earlier version wrote.
    name_key = models.TextField(blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            GinIndex(fields=["other_numbers"], name="patient_other_numbers", opclasses=["jsonb_path_ops"]),
            models.Index(
                fields=["nhs_number"], name="patient_nhs_number", condition=~models.Q(nhs_number="")
            ),
            models.Index(fields=["birth_date", "postcode"], name="patient_birth_postcode"),
            models.Index(
                fields=["birth_partly", "postcode"],
                name="patient_birth_partly",
                condition=~models.Q(birth_partly=""),
            ),
        ]

    def __str__(self) -> str:
        """Names nobody: it is the title of a page and stands in lists."""
        return f"Record made {format_short(self.created_at)}"

    @property
    def born(self) -> str:
        """A FHIR date as far as it is known."""
        return self.birth_date.isoformat() if self.birth_date else self.birth_partly

    @property
    def numbers(self) -> tuple[OtherNumber, ...]:
        """Every NHS number, their own first."""
        others = tuple(OtherNumber(**each) for each in self.other_numbers)
        own = OtherNumber(self.nhs_number, self.nhs_number_verified)
        return (own, *others) if self.nhs_number else others


class Contact(models.Model):
    """Somebody to call about the patient; rank 1 is the call-back (standard section 6)."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="contacts")
    rank = models.PositiveSmallIntegerField()
    # v3-RoleCode; ONESELF when the patient is the contact.
    relationship = models.CharField(max_length=20, blank=True)
    # The sender's own words where there was no code.
    relationship_text = models.CharField(max_length=60, blank=True)
    given_names = models.CharField(max_length=140, blank=True)
    family_name = models.CharField(max_length=140, blank=True)
    gender = models.CharField(max_length=10, choices=Gender.choices, blank=True, default="", db_default="")
    # FHIR ContactPoints in rank order: [{"system", "value", "use", "rank"}].
    telecom = models.JSONField(default=list)

    class Meta:
        ordering = ["rank"]
        constraints = [models.UniqueConstraint(fields=["patient", "rank"], name="contact_rank_once")]

    def __str__(self) -> str:
        return f"contact {self.rank}"
