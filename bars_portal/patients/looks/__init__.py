"""Who looked at a patient: the audit trail by patient, person and case, for auditors."""
