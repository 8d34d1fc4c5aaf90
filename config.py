"""The settings of one running registry, read once from the environment, or a refusal that names every wrong one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHORTEST_SECRET = 32  # characters; `python3 -c "import secrets; print(secrets.token_hex(32))"` gives 64
FEWEST_DIFFERENT = 8  # a long row of one letter is no secret
# Known to everybody who reads this file, so good on a developer's own machine only.
DEVELOPMENT_SECRETS = {
    "SECRET_KEY": "development-only-secret-key-known-to-everyone",
    "SECURITY_PASSWORD_SALT": "development-only-password-salt-known-to-everyone",
    "TOTP_SECRET": "development-only-totp-secret-known-to-everyone",
}


STRIPE = "https://api.stripe.com"


class ConfigError(SystemExit):
    """The settings are not fit to start with. `problems` has one sentence a setting, each naming it.

    Where nobody catches it, it ends the process with these sentences alone, without a traceback.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The registry does not start:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = problems


DEMO_ACCOUNT = "No real account: this registry is for trying things out. Send no money."


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one registry was started with. Paths are absolute, `public_url` has no slash at its end.

    Printed, it tells no secret.
    """

    environment: Literal["development", "production"]
    database_url: str = field(repr=False)  # sqlite:////… or postgresql://…
    public_url: str  # the start of every link and QR code, never the Host header
    data_dir: Path  # evidence, certificates and keys; belongs to this one database
    host: str
    port: int
    secret_key: str = field(repr=False)
    password_salt: str = field(repr=False)
    totp_secret: str = field(repr=False)
    mail_server: str | None  # no server: mail is written to the log
    mail_port: int
    mail_sender: str
    registry_name: str
    policy_file: Path
    trusted_proxies: int  # how many proxies before this server tell the visitor's address truthfully
    sign_in_limits: bool  # off only where tests sign in a hundred times a minute
    bank_account: str | None  # where transfers go to, as buyers read it; none: nobody pays by transfer
    stripe_api_key: str | None = field(repr=False)  # none: nobody pays by Stripe, or in development by a stand-in
    stripe_webhook_secret: str | None = field(repr=False)
    stripe_api_base: str
    timestamp_url: str | None  # who stamps the time on documents (RFC 3161); nobody where there is none

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the SQLite file, not a PostgreSQL server."""
        return self.database_url.startswith("sqlite:")

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, or None with PostgreSQL."""
        return Path(self.database_url.removeprefix("sqlite:///")) if self.is_embedded else None

    @property
    def queue_file(self) -> Path | None:
        """Where background work waits beside the SQLite file; None where it waits in the same PostgreSQL."""
        return self.data_dir / "queue.db" if self.is_embedded else None


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings out of `environ`. An empty value counts as not given.

    Raises ConfigError with every missing or wrong setting at once.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    problems: list[str] = []
    environment = _environment(given, problems)
    production = environment == "production"
    port = _port("PORT", given.get("PORT", "8000"), problems)
    data_dir = Path(given.get("DATA_DIR", ROOT / "var")).expanduser().absolute()
    settings = Settings(
        environment=environment,
        database_url=_database_url(given.get("DATABASE_URL", f"sqlite:///{data_dir / 'credits.db'}"), problems),
        public_url=_public_url(given.get("PUBLIC_URL"), port, production, problems),
        data_dir=data_dir,
        host=_host(given.get("HOST", "127.0.0.1"), production, problems),
        port=port,
        secret_key=_secret("SECRET_KEY", given, production, problems),
        password_salt=_secret("SECURITY_PASSWORD_SALT", given, production, problems),
        totp_secret=_secret("TOTP_SECRET", given, production, problems),
        mail_server=given.get("MAIL_SERVER"),
        mail_port=_port("MAIL_PORT", given.get("MAIL_PORT", "25"), problems),
        mail_sender=given.get("MAIL_SENDER", "registry@localhost"),
        registry_name=given.get("REGISTRY_NAME", "Artisanal Mineral Credit Registry"),
        policy_file=_existing_file("POLICY_FILE", given.get("POLICY_FILE"), ROOT / "policy.toml", problems),
        trusted_proxies=_proxies(given.get("TRUSTED_PROXIES", "0"), problems),
        sign_in_limits=_sign_in_limits(given.get("SIGN_IN_LIMITS", "on"), production, problems),
        bank_account=given.get("BANK_ACCOUNT", None if production else DEMO_ACCOUNT),
        stripe_api_key=_stripe_api_key(given, production, problems),
        stripe_webhook_secret=given.get("STRIPE_WEBHOOK_SECRET"),
        stripe_api_base=_stripe_api_base(given.get("STRIPE_API_BASE", STRIPE), production, problems),
        timestamp_url=_timestamp_url(given.get("TIMESTAMP_URL"), problems),
    )
    if production and settings.mail_server and "MAIL_SENDER" not in given:
        problems.append("MAIL_SENDER is missing: the address that mail from MAIL_SERVER comes from.")
    if problems:
        raise ConfigError(problems)
    return settings


def _environment(given: Mapping[str, str], problems: list[str]) -> Literal["development", "production"]:
    word = given.get("CREDITS_ENV", "development")
    if word == "production":
        return "production"
    if word != "development":
        problems.append(f"CREDITS_ENV is {word!r}: it must be development or production.")
    return "development"


def _port(name: str, text: str, problems: list[str]) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535:
        return int(text)
    problems.append(f"{name} is {text!r}: it must be a whole number from 1 to 65535.")
    return 0


def _database_url(url: str, problems: list[str]) -> str:
    """Return `url` the one way it is written, with an absolute path if it is a file.

    A problem never repeats the address: it may hold a password.
    """
    scheme, _, rest = url.partition("://")
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"}:
        if not urlsplit(url).path.strip("/"):
            problems.append("DATABASE_URL names no database: write postgresql://USER:PASSWORD@HOST/DATABASE.")
        return f"postgresql://{rest}"
    file = url.removeprefix("sqlite:///")
    if file == url or file in {"", ":memory:"} or "?" in file:
        # The worker is a second process: a database in memory would be a different one for each.
        problems.append("DATABASE_URL must be postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE.")
        return url
    return f"sqlite:///{Path(file).expanduser().absolute()}"


def _public_url(url: str | None, port: int, production: bool, problems: list[str]) -> str:
    if url is None:
        if production:
            problems.append("PUBLIC_URL is missing: the https address that links and QR codes lead to.")
        return f"http://localhost:{port}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        problems.append(
            f"PUBLIC_URL is {url!r}: it must be an address such as https://registry.example, without a path."
        )
    elif production and parts.scheme != "https":
        problems.append(f"PUBLIC_URL is {url!r}: in production it must begin with https://.")
    return url.rstrip("/")


def _host(host: str, production: bool, problems: list[str]) -> str:
    if not production and host not in LOOPBACK:
        problems.append(
            f"HOST is {host!r}: development has known passwords and listens on {', '.join(LOOPBACK)} alone."
        )
    return host


def _secret(name: str, given: Mapping[str, str], production: bool, problems: list[str]) -> str:
    """Return the secret; never repeat it in a sentence."""
    default = DEVELOPMENT_SECRETS[name]
    secret = given.get(name, default)
    if not production:
        return secret
    if name not in given:
        problems.append(f"{name} is missing: give it a long random value and keep it.")
    elif any(known in secret for known in DEVELOPMENT_SECRETS.values()):
        problems.append(f"{name} is the development value, which everybody knows.")
    elif len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT:
        problems.append(f"{name} is too short or too simple: at least {SHORTEST_SECRET} random characters.")
    elif sum(given.get(other) == secret for other in DEVELOPMENT_SECRETS) > 1:
        problems.append(f"{name} has the same value as another secret: each needs its own.")
    return secret


def _proxies(text: str, problems: list[str]) -> int:
    if text in {"0", "1", "2", "3"}:
        return int(text)
    problems.append(f"TRUSTED_PROXIES is {text!r}: it must be the number of proxies before this server, 0 to 3.")
    return 0


def _sign_in_limits(word: str, production: bool, problems: list[str]) -> bool:
    if word not in {"on", "off"} or (production and word == "off"):
        problems.append(f"SIGN_IN_LIMITS is {word!r}: it must be on, or in development off.")
    return word != "off"


def _timestamp_url(url: str | None, problems: list[str]) -> str | None:
    """Time stamp servers are often asked over http: their answer is signed."""
    if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        problems.append(f"TIMESTAMP_URL is {url!r}: it must be the http or https address of a time stamp server.")
    return url


def _stripe_api_key(given: Mapping[str, str], production: bool, problems: list[str]) -> str | None:
    """Return the key; never repeat it in a sentence.

    Test money must not buy credits of value, nor real money what has none.
    """
    key = given.get("STRIPE_API_KEY")
    if (key is None) != ("STRIPE_WEBHOOK_SECRET" not in given):
        missing = "STRIPE_API_KEY" if key is None else "STRIPE_WEBHOOK_SECRET"
        problems.append(f"{missing} is missing: Stripe needs both, the key to ask it and the secret of its webhooks.")
    if key is not None and production != ("_live_" in key):
        wanted = "a live key in production" if production else "a test key in development"
        problems.append(f"STRIPE_API_KEY is of the wrong kind: it must be {wanted}.")
    return key


def _stripe_api_base(url: str, production: bool, problems: list[str]) -> str:
    base, parts = url.rstrip("/"), urlsplit(url)
    if production and base != STRIPE:
        problems.append(f"STRIPE_API_BASE is {url!r}: in production it must be {STRIPE}.")
    elif base != STRIPE and (parts.scheme not in {"http", "https"} or parts.hostname not in LOOPBACK):
        problems.append(
            f"STRIPE_API_BASE is {url!r}: it must be {STRIPE}, or the address of a stand-in on this machine."
        )
    return base


def _existing_file(name: str, given: str | None, default: Path, problems: list[str]) -> Path:
    if given is None:
        return default
    file = Path(given).expanduser().absolute()
    if not file.is_file():
        problems.append(f"{name} is {given!r}: there is no such file.")
    return file
