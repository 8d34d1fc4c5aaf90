"""Where all the parts meet: `create_app(settings)` and nothing else puts them together."""

import logging
from functools import partial
from typing import Any, NoReturn
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, request
from flask_security import SQLAlchemyUserDatastore
from jinja2 import StrictUndefined
from sqlalchemy import inspect, select
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map, MapAdapter

from config import ROOT, ConfigError, Settings
from credits import admin, api, cli, delivered, identity, languages, problems, provider, tries, web
from credits.certificates.issuing import Issuer
from credits.certificates.pdf import slow_drawing
from credits.db import begin_writing, prepare_engine, read_alone
from credits.extensions import babel, csrf, db, mail, migrate, security
from credits.files import Files, Pages, Parts, bind
from credits.flask_settings import for_flask, for_sign_in
from credits.journal import outside
from credits.journal.models import RegistryIdentity
from credits.participants.models import Role, User
from credits.passwords import Unhurried
from credits.payments import acts
from credits.payments.certified import PublicPrices
from credits.payments.gateway import Gateway
from credits.registry import policy
from credits.registry.models import REGISTRY_CODE
from credits.registry.operator import Operator

log = logging.getLogger(__name__)

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # the QR code of the authenticator set-up
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

# These ask somebody over the network first, and begin to write themselves.
ASKS_FIRST = {"web.stripe_webhook"}


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
    app.config.from_mapping(for_flask(settings))
    app.config.from_mapping(for_sign_in(settings))
    app.extensions["settings"] = settings
    app.before_request(tries.count_try)
    app.before_request(open_unit_of_work)  # before the others, which already ask the database who is there
    app.after_request(partial(add_headers, settings.is_production))
    if settings.trusted_proxies:
        proxies = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]

    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        bind_folder(settings)
    keep_parts(app, settings)
    acts.register(delivered.certify)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    csrf.init_app(app)
    babel.init_app(app, locale_selector=languages.chosen)
    mail.init_app(app)
    security.init_app(app, SQLAlchemyUserDatastore(db, User, Role))
    security.pwd_context = Unhurried(security.pwd_context)
    security.want_json(lambda request: False)  # machines have a door of their own
    security.login_manager.request_loader(lambda request: None)  # and tokens of their own
    security.unauthn_handler(refuse_strangers)

    app.register_blueprint(web.bp)
    app.register_blueprint(admin.bp)
    api.register(app)
    cli.register(app)
    languages.register(app)
    app.context_processor(lambda: {"site": site(settings, app.extensions["gateway"])})
    problems.register(app)
    if sentence := slow_drawing():
        log.warning(sentence)
    return app


def bind_folder(settings: Settings) -> None:
    """See that the folder of files is this database's own, and knows of nothing newer than what the database has.

    A database without tables has no identity yet.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if inspect(db.engine).has_table(RegistryIdentity.__tablename__):
        bind(settings.data_dir, db.session.scalars(select(RegistryIdentity.registry_id)).one())
        if reason := outside.why_read_only(db.session(), settings.data_dir, outside.kept(settings.data_dir)):
            log.error(reason)
            outside.close_for_writing(db.engine)
        else:
            read_alone(db.engine, identity.reads)
        db.session.remove()
    db.engine.dispose()  # a server that forks its workers hands none of them a connection of its own


def keep_parts(app: Flask, settings: Settings) -> None:
    """What views hand to the operations, which ask no application for it."""
    app.extensions["policy"] = chosen = policy.read(settings.policy_file, settings.environment)
    must_name_operator(settings, chosen.operator)
    app.extensions["evidence_files"] = Files(settings.data_dir / "evidence")
    app.extensions["premium_files"] = Files(settings.data_dir / "premium")
    app.extensions["evidence_parts"] = Parts(settings.data_dir / "uploads")
    app.extensions["evidence_pages"] = Pages(settings.data_dir / "pages")
    app.extensions["certificate_files"] = Files(settings.data_dir / "certificates")
    app.extensions["gateway"] = provider.gateway_for(settings)
    app.extensions["issuer"] = Issuer(name=settings.registry_name, url=settings.public_url, prices=PublicPrices)


def must_name_operator(settings: Settings, operator: Operator) -> None:
    """Where people pay in production, their invoices say who issues them. Raises ConfigError."""
    if settings.is_production and (settings.bank_account or settings.stripe_api_key) and operator.missing:
        sentence = (
            f"POLICY_FILE {settings.policy_file} does not say who issues invoices: in [operator], "
            f"{', '.join(operator.missing)} is missing. Only without BANK_ACCOUNT and STRIPE_API_KEY, where nobody "
            "pays, it is not needed."
        )
        raise ConfigError([sentence])


def open_unit_of_work() -> None:
    """Take the write lock before anything is read, in a request that may change something."""
    if not identity.writes() or request.endpoint in ASKS_FIRST:
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
    gateway: Gateway | None = current_app.extensions["gateway"]
    # Forms lead to ourselves, and by a redirect to where buyers pay.
    targets = " ".join(["'self'", *([gateway.pages] if gateway else [])])
    response.headers.setdefault("Content-Security-Policy", f"{CONTENT_POLICY}; form-action {targets}")
    if production:
        response.headers["Strict-Transport-Security"] = "max-age=63072000"
    if identity.through_session() and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-store"  # a shared phone's Back button shows nothing
    return response


def refuse_strangers(mechanisms: object = None, headers: object = None) -> NoReturn:
    """The sign-in library's own pages answer a stranger as every other page does."""
    raise identity.NotSignedIn("Please sign in first.")


def site(settings: Settings, gateway: Gateway | None) -> dict[str, object]:
    """What every page knows of the registry."""
    return {
        "name": settings.registry_name,
        "code": REGISTRY_CODE,
        "environment": settings.environment,
        "test_payments": gateway is not None and not gateway.livemode,
        "public_url": settings.public_url,
        "languages": languages.offered(),
        "language": languages.current(),
    }
