"""People of an organisation, for who manages them: invitations, leavers, and who can do what."""
