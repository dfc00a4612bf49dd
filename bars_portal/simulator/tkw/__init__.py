"""TKW (Toolkit Workbench): the UserTest services that answer sentinel values in a known way."""
