"""Flask's extensions, not yet bound to an application."""

from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_mailman import Mail
from flask_migrate import Migrate
from flask_security import Security
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect

from credits.db import Model
from credits.letters import LaterMail

db = SQLAlchemy(metadata=Model.metadata)  # session and engine alone; models stand on the plain `Model`
migrate = Migrate()
security = Security(mail_util_cls=LaterMail)
csrf = CSRFProtect()
# Counts live in each process: four workers let four times as many tries through.
limiter = Limiter(key_func=get_remote_address, storage_uri="memory://")
babel = Babel()
mail = Mail()
