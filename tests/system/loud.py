"""The application with every logger as loud as it can be: what an operator might turn on in despair."""

import logging
import sys

from flask import Flask

import app
from models import db


def create_app() -> Flask:
    """The shipped application, with SQL, its results and everybody's debugging on standard error."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
    loud = app.create_app()
    with loud.app_context():
        db.engine.echo = "debug"
    return loud
