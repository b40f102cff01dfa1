"""The same two calls in FastAPI and SQLAlchemy's ORM, laid out as their tutorials do."""
