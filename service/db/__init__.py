"""The service's database: typed SQLAlchemy 2.1 models, synchronous sessions, Alembic migrations.

SQLite (WAL) by default, PostgreSQL by URL. Tables of one subject may live with that subject (``service.log``,
``service.jobs``): declare them against :class:`service.db.base.Base` and name their module in ``service.db.models``.
"""
