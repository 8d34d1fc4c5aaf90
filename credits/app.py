"""Where all the parts meet: `create_app(settings)` and nothing else puts them together."""

import hashlib
from collections.abc import Callable
from base64 import urlsafe_b64encode
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request, session
from flask.typing import RouteCallable
from flask_limiter.util import get_remote_address
from flask_security import SQLAlchemyUserDatastore
from jinja2 import StrictUndefined
from sqlalchemy import inspect, select
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map, MapAdapter

from config import ROOT, Settings
from credits import admin, identity, languages, problems, web
from credits.certificates.issuing import Issuer
from credits.db import begin_writing, engine_settings, prepare_engine, sqlalchemy_url
from credits.extensions import babel, csrf, db, limiter, mail, migrate, security
from credits.files import Files, bind
from credits.journal.models import RegistryIdentity
from credits.participants.models import Role, User
from credits.registry import policy

LARGEST_REQUEST = 25 * 1024 * 1024  # bytes: an evidence file of a phone's camera with room to spare
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # the QR code of the authenticator set-up
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
# A guess costs one of these. By address, and by account too: a thousand addresses then help little.
SIGN_IN_LIMITS = {
    "security.login": "10 per minute; 60 per hour",
    "security.forgot_password": "5 per minute; 20 per hour",
    "security.reset_password": "10 per minute; 60 per hour",
    "security.change_password": "10 per minute; 60 per hour",
    "security.verify": "10 per minute; 60 per hour",
    "security.two_factor_token_validation": "10 per minute; 60 per hour",
    "security.mf_recovery": "10 per minute; 60 per hour",
    "web.sign_up": "5 per minute; 20 per hour",
}
TRIES_PER_ACCOUNT = "100 per hour"


class StorableInteger(IntegerConverter):
    """An id in an address: beyond what a column holds there is nothing, so the address leads nowhere."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:  # noqa: A002  Werkzeug's name
        super().__init__(map, *args, **{"max": 2**63 - 1} | kwargs)


class Registry(Flask):
    """Builds every full address from PUBLIC_URL: a forged Host header leads nobody away."""

    jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        public = urlsplit(self.config["PUBLIC_URL"])
        if request is None:
            return self.url_map.bind(public.netloc, url_scheme=public.scheme)
        adapter = super().create_url_adapter(request)
        if adapter is not None:
            adapter.url_scheme, adapter.server_name = public.scheme, public.netloc
        return adapter


def create_app(settings: Settings) -> Flask:
    app = Registry(
        "credits", root_path=str(ROOT / "credits"), static_folder="static", template_folder=str(ROOT / "templates")
    )
    app.url_map.converters["int"] = StorableInteger
    app.config.from_mapping(flask_config(settings))
    app.config.from_mapping(sign_in_config(settings))
    app.extensions["settings"] = settings
    app.before_request(open_unit_of_work)  # the first of all: the others already ask the database who is there
    app.after_request(partial(add_headers, settings.is_production))
    if settings.trusted_proxies:
        proxies = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]

    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        bind_folder(settings)
    keep_parts(app, settings)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    csrf.init_app(app)
    babel.init_app(app, locale_selector=languages.chosen)
    mail.init_app(app)
    limiter.init_app(app)
    security.init_app(app, SQLAlchemyUserDatastore(db, User, Role))
    security.want_json(lambda request: False)  # machines have a door of their own
    security.login_manager.request_loader(lambda request: None)  # and tokens of their own
    security.unauthn_handler(refuse_strangers)

    app.register_blueprint(web.bp)
    app.register_blueprint(admin.bp)
    open_further_doors(app)
    limit_sign_in(app)
    languages.register(app)
    app.context_processor(lambda: {"site": site(settings)})
    problems.register(app)
    return app


def bind_folder(settings: Settings) -> None:
    """See that the folder of files is this database's own. A database without tables has no identity yet."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if inspect(db.engine).has_table(RegistryIdentity.__tablename__):
        bind(settings.data_dir, db.session.scalars(select(RegistryIdentity.registry_id)).one())
        db.session.remove()


def keep_parts(app: Flask, settings: Settings) -> None:
    """What views hand to the operations, which ask no application for it."""
    app.extensions["policy"] = policy.read(settings.policy_file)
    app.extensions["evidence_files"] = Files(settings.data_dir / "evidence")
    app.extensions["certificate_files"] = Files(settings.data_dir / "certificates")
    app.extensions["issuer"] = Issuer(name=settings.registry_name, url=settings.public_url)


def open_further_doors(app: Flask) -> None:
    """The machines' door and the commands."""
    for door in ("api", "cli"):
        register = getattr(import_module(f"credits.{door}"), "register", None)
        if register is not None:
            register(app)


def flask_config(settings: Settings) -> dict[str, object]:
    secure = settings.is_production
    # The prefix makes browsers refuse the cookie unless it is secure, for this host alone and the whole of it.
    prefix = "__Host-" if secure else ""
    return {
        "SECRET_KEY": settings.secret_key,
        "PUBLIC_URL": settings.public_url,
        "TRUSTED_HOSTS": [urlsplit(settings.public_url).hostname, "localhost", "127.0.0.1", "[::1]"],
        "SESSION_COOKIE_NAME": f"{prefix}session",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "REMEMBER_COOKIE_NAME": f"{prefix}remember",
        "REMEMBER_COOKIE_SECURE": secure,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_DURATION": timedelta(days=14),
        # "strong" signs people out whenever a mobile network gives them another address.
        "SESSION_PROTECTION": "basic",
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
        "MAX_FORM_PARTS": 500,
        "SQLALCHEMY_DATABASE_URI": sqlalchemy_url(settings.database_url),
        "SQLALCHEMY_ENGINE_OPTIONS": engine_settings(settings.database_url),
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a slow reader must not lose a form
        "RATELIMIT_ENABLED": settings.sign_in_limits,
        "RATELIMIT_HEADERS_ENABLED": True,
        "MAIL_BACKEND": "smtp" if settings.mail_server else "console",
        "MAIL_SERVER": settings.mail_server or "",
        "MAIL_PORT": settings.mail_port,
        "MAIL_DEFAULT_SENDER": settings.mail_sender,
        "MAIL_TIMEOUT": 10,
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "credits" / "translations"),
        "BABEL_DEFAULT_TIMEZONE": "UTC",
    }


def sign_in_config(settings: Settings) -> dict[str, object]:
    recovery_key = urlsafe_b64encode(hashlib.sha256(b"recovery codes\0" + settings.totp_secret.encode()).digest())
    config: dict[str, object] = {
        "PASSWORD_SALT": settings.password_salt,
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_LENGTH_MIN": 12,
        "RECOVERABLE": True,
        "CHANGEABLE": True,
        "TRACKABLE": True,
        "RETURN_GENERIC_RESPONSES": True,  # whether somebody has an account is nobody's business
        "RESET_PASSWORD_WITHIN": timedelta(hours=1),
        "TWO_FACTOR": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_ALWAYS_VALIDATE": True,
        "TOTP_SECRETS": {"1": settings.totp_secret},
        "TOTP_ISSUER": settings.registry_name,
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_KEYS": [recovery_key],
        "FRESHNESS": timedelta(hours=1),
        "FRESHNESS_GRACE_PERIOD": timedelta(minutes=10),
        "API_ENABLED_METHODS": ["session"],
        "POST_LOGIN_VIEW": "/account",
        "POST_CHANGE_VIEW": "/account",
        "EMAIL_HTML": False,
        "EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},  # asks no name server
        "JOIN_USER_ROLES": False,
        "STATIC_FOLDER": None,
        "CLI_USERS_NAME": None,
        "CLI_ROLES_NAME": None,
    }
    return {f"SECURITY_{name}": value for name, value in config.items()}


def open_unit_of_work() -> None:
    """Take the write lock before anything is read, in a request that may change something."""
    if not identity.writes():
        return
    # The whole of it first: a slow upload must not hold the write lock while it trickles in.
    if request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded"):
        request.form  # noqa: B018  reading it is the point
    else:
        request.get_data()
    begin_writing(db.session)


def add_headers(production: bool, response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if production:
        response.headers["Strict-Transport-Security"] = "max-age=63072000"
    if "_user_id" in session and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-store"  # a shared phone's Back button shows nothing
    return response


def refuse_strangers(mechanisms: object = None, headers: object = None) -> NoReturn:
    """The sign-in library's own pages answer a stranger as every other page does."""
    raise identity.NotSignedIn("Please sign in first.")


def limit_sign_in(app: Flask) -> None:
    for endpoint, limit in SIGN_IN_LIMITS.items():
        limit_posts(app, endpoint, limit, get_remote_address)
    limit_posts(app, "security.login", TRIES_PER_ACCOUNT, lambda: request.form.get("email", "").strip().lower()[:200])


def limit_posts(app: Flask, endpoint: str, limit: str, key: Callable[[], str]) -> None:
    limited = limiter.limit(limit, key_func=key, methods=["POST"])(app.view_functions[endpoint])
    app.view_functions[endpoint] = cast(RouteCallable, limited)


def site(settings: Settings) -> dict[str, object]:
    """What every page knows of the registry."""
    return {
        "name": settings.registry_name,
        "code": settings.registry_code,
        "environment": settings.environment,
        "public_url": settings.public_url,
        "languages": languages.NAMES,
        "language": languages.current(),
    }
