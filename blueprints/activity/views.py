"""activity."""

from flask import Blueprint

blueprint = Blueprint("activity", __name__)
