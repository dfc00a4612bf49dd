"""The wire towards BaRS: tokens, headers, and what an answer means. No Django, no database, no settings."""
