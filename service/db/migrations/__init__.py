"""Alembic migrations of the service: run by `tanba db upgrade`, never imported by the application."""
