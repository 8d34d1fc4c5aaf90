"""Which payment provider this registry asks: Stripe, in development without a key a stand-in beside it, or none."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from flask import Flask, url_for

from config import ROOT, Settings
from credits.delivered import certify
from credits.errors import Conflict
from credits.market_jobs import Till
from credits.payments.gateway import Gateway
from credits.payments.models import Means
from credits.payments.stripe_gateway import StripeGateway

WEBHOOKS = "/webhooks/stripe"
CLEARS_AFTER = 30  # seconds that a bank debit takes where people try it out; days at Stripe


def gateway_for(settings: Settings) -> Gateway | None:
    """The provider that was set up; None where nobody pays by one."""
    if settings.stripe_api_key is not None and settings.stripe_webhook_secret is not None:
        return StripeGateway(
            api_key=settings.stripe_api_key,
            webhook_secret=settings.stripe_webhook_secret,
            api_base=settings.stripe_api_base,
        )
    stand_in = known(settings)
    return stand_in.gateway() if stand_in is not None else None


def till(app: Flask) -> Till | None:
    """What the market's work over the network needs; None where nobody pays by a provider."""
    gateway: Gateway | None = app.extensions["gateway"]
    return Till(gateway, app.extensions["policy"], addresses, certify) if gateway is not None else None


class NoProvider(Conflict):
    """Nobody could take this payment: nothing is reserved for it."""

    code = "no_provider"


def means_taken(app: Flask) -> list[Means]:
    """How orders can be paid here: by what is set up, the provider or the registry's account."""
    ready = {
        Means.STRIPE: app.extensions["gateway"] is not None,
        Means.BANK_TRANSFER: bool(app.extensions["settings"].bank_account),
    }
    return [means for means in Means if ready[means]]


def must_take(app: Flask, means: Means) -> None:
    """Raise NoProvider where an order is to be paid by what is not set up: the provider, or the registry's account."""
    if means not in means_taken(app):
        raise NoProvider("The registry cannot take this payment now. Change the order, and choose another way to pay.")


def addresses(number: str) -> tuple[str, str]:
    """Where a buyer returns to from the provider's page, having paid or not. Nothing is believed of what they bring."""
    page = url_for("web.order", number=number, _external=True)
    return f"{page}?paid=1", page


@dataclass(frozen=True)
class StandIn:
    """Where the stand-in of this registry answers, in which no money moves."""

    api_base: str
    api_key: str
    webhook_secret: str

    def gateway(self) -> Gateway:
        return StripeGateway(api_key=self.api_key, webhook_secret=self.webhook_secret, api_base=self.api_base)

    def pay(self, reference: str, how: str) -> None:
        """Do as the buyer of a checkout: pay by `card`, one that `declines`, a `debit`, or one that fails later."""
        self._ask("pay", {"session": reference, "how": how})

    def answers(self) -> bool:
        try:
            self._ask("clock", {"advance": 0})
        except (URLError, OSError):
            return False
        return True

    def _ask(self, act: str, said: dict[str, object]) -> None:
        request = Request(f"{self.api_base}/_standin/{act}", json.dumps(said).encode())  # noqa: S310  our own address
        build_opener(ProxyHandler({})).open(request, timeout=10).close()


def folder(settings: Settings) -> Path:
    return settings.data_dir / "test-payments"


def known(settings: Settings) -> StandIn | None:
    """The stand-in that was begun last for this registry; never one in production, nor beside a key to Stripe."""
    if settings.is_production or settings.stripe_api_key is not None:
        return None
    file = folder(settings) / "address.json"
    return StandIn(**json.loads(file.read_text())) if file.is_file() else None


def begin(settings: Settings) -> "subprocess.Popen[bytes]":
    """Start the stand-in as a process that keeps what it knows in the data directory. Returns once it answers."""
    assert not settings.is_production
    assert settings.stripe_api_key is None
    folder(settings).mkdir(mode=0o700, parents=True, exist_ok=True)
    earlier = known(settings)
    key, secret = f"sk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"
    command = [sys.executable, "-m", "tests.stripe_standin", "--state", str(folder(settings) / "state.json")]
    command += ["--clears-after", str(CLEARS_AFTER), "--webhooks", f"http://{here(settings)}{WEBHOOKS}"]
    if earlier is not None:
        key, secret = earlier.api_key, earlier.webhook_secret
        command += ["--port", str(urlsplit(earlier.api_base).port)]  # pages that were opened there still answer
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"STRIPE_API_KEY": key, "STRIPE_WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout as told:
        address = told.readline().decode().strip()
    if not address:
        process.wait()
        raise RuntimeError("The stand-in for the payment provider did not start.")
    file = folder(settings) / "address.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(StandIn(address, key, secret))))
    return process


def here(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


@contextmanager
def at_hand(settings: Settings) -> Iterator[StandIn]:
    """The stand-in, for a command that needs it: the one that runs, or one that is started for so long."""
    running = known(settings)
    if running is not None and running.answers():
        yield running
        return
    process = begin(settings)
    try:
        started = known(settings)
        assert started is not None
        yield started
    finally:
        process.terminate()
        process.wait()


@contextmanager
def asked_by_command(settings: Settings) -> Iterator[Gateway | None]:
    """The provider, for a command; where it is a stand-in that rests, it is started for so long."""
    if known(settings) is None:
        yield gateway_for(settings)
        return
    with at_hand(settings) as stand_in:
        yield stand_in.gateway()
