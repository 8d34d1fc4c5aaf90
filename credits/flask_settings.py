"""What Flask and its extensions are told, made from the settings of this registry."""

import hashlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import urlsplit

from config import ROOT, Settings
from credits.db import engine_settings, sqlalchemy_url

LARGEST_REQUEST = 25 * 1024 * 1024  # bytes: an evidence file of a phone's camera with room to spare

LARGEST_TEXT = 4 * 1024 * 1024  # bytes of typed fields: 10,000 lines of a statement, which the last page sends again


def for_flask(settings: Settings) -> dict[str, object]:
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
        "MAX_FORM_MEMORY_SIZE": LARGEST_TEXT,
        "MAX_FORM_PARTS": 500,
        "SQLALCHEMY_DATABASE_URI": sqlalchemy_url(settings.database_url),
        "SQLALCHEMY_ENGINE_OPTIONS": engine_settings(settings.database_url),
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a slow reader must not lose a form
        "MAIL_BACKEND": "smtp" if settings.mail_server else "console",
        "MAIL_SERVER": settings.mail_server or "",
        "MAIL_PORT": settings.mail_port,
        "MAIL_DEFAULT_SENDER": settings.mail_sender,
        "MAIL_TIMEOUT": 10,
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "credits" / "translations"),
        "BABEL_DEFAULT_TIMEZONE": "UTC",
    }


def for_sign_in(settings: Settings) -> dict[str, object]:
    recovery_key = urlsafe_b64encode(hashlib.sha256(b"recovery codes\0" + settings.totp_secret.encode()).digest())
    config: dict[str, object] = {
        "PASSWORD_SALT": settings.password_salt,
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_LENGTH_MIN": 12,
        "RECOVERABLE": True,
        "VERIFY_URL": "/confirm-password",  # at /verify anybody checks a certificate
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
        "POST_LOGIN_VIEW": "/start",
        "POST_CHANGE_VIEW": "/account",
        "EMAIL_HTML": False,
        "EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},  # asks no name server
        "JOIN_USER_ROLES": False,
        "STATIC_FOLDER": None,
        "CLI_USERS_NAME": None,
        "CLI_ROLES_NAME": None,
    }
    return {f"SECURITY_{name}": value for name, value in config.items()}
