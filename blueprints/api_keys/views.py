"""api_keys."""

from flask import Blueprint

blueprint = Blueprint("api_keys", __name__)
