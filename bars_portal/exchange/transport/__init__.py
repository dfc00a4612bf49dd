"""The wire towards BaRS: the only importer of httpx and jwt. No Django, no database, no settings."""
