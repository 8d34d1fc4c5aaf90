from pathlib import Path

import pytest

from config import DEVELOPMENT_SECRETS, ROOT, ConfigError, load

PRODUCTION = {
    "CREDITS_ENV": "production",
    "PUBLIC_URL": "https://registry.example",
    "SECRET_KEY": "8f0c1b7e5d2a49c6b3e7f1a0d4c8b2e6",
    "SECURITY_PASSWORD_SALT": "1d9e6a3c7b5f8042e4c6a8d0f2b4e6c8",
    "TOTP_SECRET": "5b2d8f4a6c0e1937d5b3f7a9c1e3d5b7",
}
SECRETS = sorted(DEVELOPMENT_SECRETS)


def problems_of(environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as refusal:
        load(environ)
    return "\n".join(refusal.value.problems)


class TestLoad:
    def test_needs_nothing_in_development(self):
        settings = load({})

        assert settings.environment == "development"
        assert settings.host == "127.0.0.1"
        assert settings.public_url == "http://localhost:8000"
        assert settings.database_url == f"sqlite:///{ROOT}/var/credits.db"
        assert settings.data_dir == ROOT / "var"

    def test_takes_an_empty_value_for_none_given(self):
        assert load({"PORT": "", "DATABASE_URL": " ", "DATA_DIR": ""}) == load({})

    def test_keeps_the_embedded_database_and_its_queue_in_the_data_directory(self, tmp_path):
        settings = load({"DATA_DIR": str(tmp_path)})

        assert settings.database_file == tmp_path / "credits.db"
        assert settings.queue_file == tmp_path / "queue.db"

    def test_makes_relative_paths_absolute(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        settings = load({"DATA_DIR": "here", "DATABASE_URL": "sqlite:///there.db"})

        assert settings.data_dir == tmp_path / "here"
        assert settings.database_file == tmp_path / "there.db"

    def test_runs_on_postgresql_by_its_address_alone(self):
        settings = load({"DATABASE_URL": "postgresql://user:pw@db.example/registry"})

        assert not settings.is_embedded
        assert settings.database_file is None
        assert settings.queue_file is None

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_writes_the_address_of_postgresql_one_way(self, scheme):
        assert (
            load({"DATABASE_URL": f"{scheme}://db.example/registry"}).database_url == "postgresql://db.example/registry"
        )

    def test_lets_the_public_address_follow_the_port(self):
        assert load({"PORT": "9000"}).public_url == "http://localhost:9000"

    def test_takes_the_slash_off_the_public_address(self):
        assert load({"PUBLIC_URL": "https://registry.example/"}).public_url == "https://registry.example"

    def test_starts_in_production_with_its_own_secrets(self):
        settings = load(PRODUCTION)

        assert settings.is_production
        assert settings.secret_key == PRODUCTION["SECRET_KEY"]
        assert settings.totp_secret == PRODUCTION["TOTP_SECRET"]

    @pytest.mark.parametrize("name", SECRETS)
    @pytest.mark.parametrize(
        "value", ["", "short", "x" * 64, DEVELOPMENT_SECRETS["SECRET_KEY"], DEVELOPMENT_SECRETS["TOTP_SECRET"] + "!"]
    )
    def test_names_the_secret_that_production_refuses(self, name, value):
        problems = problems_of(PRODUCTION | {name: value})

        assert problems.startswith(f"{name} is ")
        assert not any(other in problems for other in SECRETS if other != name)

    def test_wants_a_secret_of_its_own_for_each_purpose(self):
        problems = problems_of(PRODUCTION | {"TOTP_SECRET": PRODUCTION["SECRET_KEY"]})

        assert "TOTP_SECRET has the same value" in problems

    def test_never_repeats_a_secret(self):
        problems = problems_of(PRODUCTION | {"SECRET_KEY": "tooshort", "DATABASE_URL": "mysql://user:hidden@host/x"})

        assert "tooshort" not in problems
        assert "hidden" not in problems

    def test_prints_no_secret(self):
        printed = repr(load(PRODUCTION | {"DATABASE_URL": "postgresql://user:hidden@db.example/registry"}))

        assert not any(secret in printed for secret in ("hidden", *(PRODUCTION[name] for name in SECRETS)))

    def test_names_everything_wrong_at_once(self):
        problems = problems_of({"CREDITS_ENV": "production", "PORT": "http"})

        for name in (*SECRETS, "PUBLIC_URL", "PORT"):
            assert name in problems

    @pytest.mark.parametrize(
        "name, value",
        [
            ("CREDITS_ENV", "staging"),
            ("DATABASE_URL", "sqlite://"),
            ("DATABASE_URL", "sqlite:///:memory:"),
            ("DATABASE_URL", "mysql://localhost/registry"),
            ("DATABASE_URL", "postgresql://localhost"),
            ("HOST", "0.0.0.0"),
            ("POLICY_FILE", "/nowhere/policy.toml"),
            ("PORT", "0"),
            ("PORT", "65536"),
            ("PORT", "-1"),
            ("PORT", "80.0"),
            ("PORT", "٨٠٠٠"),
            ("PORT", "1" * 5000),
            ("PUBLIC_URL", "registry.example"),
            ("PUBLIC_URL", "ftp://registry.example"),
            ("PUBLIC_URL", "https://registry.example/under/a/path"),
        ],
    )
    def test_names_a_setting_that_makes_no_sense(self, name, value):
        assert problems_of({name: value}).startswith(name)

    @pytest.mark.parametrize(
        "name, value", [("PUBLIC_URL", "http://registry.example"), ("MAIL_SERVER", "mail.example")]
    )
    def test_asks_more_of_production(self, name, value):
        assert load({name: value})
        assert problems_of(PRODUCTION | {name: value})

    def test_listens_elsewhere_in_production_only(self):
        assert load(PRODUCTION | {"HOST": "0.0.0.0"}).host == "0.0.0.0"


def test_every_setting_is_in_the_readme():
    source = Path(ROOT, "config.py").read_text()
    readme = Path(ROOT, "README.md").read_text()
    names = set(SECRETS) | {word.split('"')[1] for word in source.split("given.get(")[1:] if word.startswith('"')}

    assert {name for name in names if f"`{name}`" not in readme} == set()


class TestStripe:
    GIVEN = {"STRIPE_API_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    LIVE = PRODUCTION | {"STRIPE_API_KEY": "sk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}

    @pytest.mark.parametrize("environ", [{}, PRODUCTION])
    def test_is_off_without_a_key(self, environ):
        assert load(environ).stripe_api_key is None

    @pytest.mark.parametrize("environ", [GIVEN, LIVE])
    def test_is_asked_at_its_own_address(self, environ):
        settings = load(environ)

        assert settings.stripe_api_base == "https://api.stripe.com"
        assert settings.stripe_webhook_secret == "whsec_1"
        assert "_1" not in repr(settings)

    def test_may_be_a_stand_in_on_this_machine_in_development(self):
        given = self.GIVEN | {"STRIPE_API_BASE": "http://127.0.0.1:8001/"}

        assert load(given).stripe_api_base == "http://127.0.0.1:8001"

    @pytest.mark.parametrize("name", ["STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET"])
    def test_needs_both_key_and_secret(self, name):
        assert f"{name} is missing" in problems_of({other: it for other, it in self.GIVEN.items() if other != name})

    @pytest.mark.parametrize(
        "environ, named",
        [
            (LIVE | {"STRIPE_API_BASE": "http://127.0.0.1:8001"}, "STRIPE_API_BASE"),
            (GIVEN | {"STRIPE_API_BASE": "https://stripe.example"}, "STRIPE_API_BASE"),
            (GIVEN | {"STRIPE_API_BASE": "127.0.0.1:8001"}, "STRIPE_API_BASE"),
            (LIVE | {"STRIPE_API_KEY": "sk_test_1"}, "a live key"),
            (GIVEN | {"STRIPE_API_KEY": "rk_live_1"}, "a test key"),
        ],
    )
    def test_mixes_no_test_money_with_real_one(self, environ, named):
        problems = problems_of(environ)

        assert named in problems
        assert "_1" not in problems.replace("127.0.0.1", "")
