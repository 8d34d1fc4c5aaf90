"""Flask's extensions, not yet bound to an application."""

from typing import TYPE_CHECKING, Any

from flask_babel import Babel
from flask_mailman import Mail
from flask_migrate import Migrate
from flask_security import Security
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlasksSession
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from credits import notices
from credits.db import Model
from credits.letters import LaterMail

if TYPE_CHECKING:

    class ThisRequestsSession(Session):
        """What stands in for the session of this request and passes everything on to it."""

        def __call__(self) -> Session: ...
        def remove(self) -> None: ...


class Database(SQLAlchemy):
    """Session and engine alone; models stand on the plain `Model`."""

    if TYPE_CHECKING:
        session: "ThisRequestsSession"  # type: ignore[assignment]


class OfOneDatabase(FlasksSession):
    """A session that need not look which database a statement is for."""

    def get_bind(self, *_: Any, bind: Engine | Connection | None = None, **__: Any) -> Engine | Connection:
        return bind or db.engine


# What was committed is as it was flushed: an answer is made of it without asking for all of it again.
db = Database(metadata=Model.metadata, session_options={"class_": OfOneDatabase, "expire_on_commit": False})
# Whoever is concerned is told in the transaction itself, whichever door or job it came through.
event.listen(db.session, "before_commit", notices.tell_of_events)
migrate = Migrate()
security = Security(mail_util_cls=LaterMail)
csrf = CSRFProtect()
babel = Babel()
mail = Mail()
