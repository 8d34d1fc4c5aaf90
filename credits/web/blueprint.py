"""The blueprint that every page of the public and of holders hangs on."""

from flask import Blueprint

bp = Blueprint("web", __name__)
