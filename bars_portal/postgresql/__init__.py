"""Django's backend for PostgreSQL, whose pool gives out no connection that the server has ended."""
