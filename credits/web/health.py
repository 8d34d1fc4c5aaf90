"""Whether this process and its database answer: for whoever watches over the server."""

from flask import jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from credits.extensions import db
from credits.web.blueprint import bp


@bp.get("/health")
def health() -> ResponseReturnValue:
    db.session.execute(text("SELECT 1"))
    return jsonify(status="ok", database=db.engine.dialect.name), {"Cache-Control": "no-store"}
