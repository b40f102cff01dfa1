"""The Python SDK (sdk/python) against the real application."""
