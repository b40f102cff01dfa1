"""The long runs use the shared server of the system tests."""

from tests.system.conftest import empty_database, installation, server

__all__ = ["empty_database", "installation", "server"]
