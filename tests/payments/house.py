"""A site with its committee, and the steps of its premium as one call each."""

import hashlib
import io
from datetime import date
from typing import Any

from PIL import Image

from credits.files import Files
from credits.payments import invariants
from credits.payments.models import Currency
from credits.payments.premiums import committees, disbursing, spending
from credits.payments.premiums.committees import Decided
from credits.payments.premiums.premium_models import Minute, PaperKind, Payout, PayoutMeans, Theme
from credits.payments.premiums.site_premium import premium_in
from credits.payments.premiums.spending import Bought, Shown
from credits.registry.papers.evidence_looking import PNG, Looked
from credits.registry.production import Site
from tests.payments.selling import sold
from tests.stage import Stage


class House:
    """A site of the stage with its committee, and the steps of the money as one call each."""

    def __init__(self, stage: Stage, *, committee: bool = True) -> None:
        self.stage, self.session, self.at = stage, stage.session, stage.at
        self.made = stage.issued()
        self.site = stage.session.get_one(Site, self.made.site_id)
        self.papers = 0
        self.files = Files(stage.files.root.parent / "premium")
        if committee:
            self.committee()

    def committee(self, **bent: Any) -> Any:
        asked = {"site": self.site, "women": 3, "men": 4, "names": "Amina\nJean", "since": date(2026, 1, 1)}
        return committees.name_committee(self.session, **self.by_manager() | asked | bent)

    def by_manager(self) -> dict[str, Any]:
        return {"by": self.stage.manager, "key": self.stage.key(), "at": self.at}

    def keeping(self) -> dict[str, Any]:
        return {"files": self.files, "policy": self.stage.policy}

    def paper(self) -> Looked:
        """A picture that nobody has sent before, as it is once it was looked at."""
        self.papers += 1
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (self.papers % 256, self.papers // 256, 0)).save(file, "PNG")
        digest = hashlib.sha256(file.getvalue()).hexdigest()
        return Looked(f"paper-{self.papers}.png", file.getvalue(), PNG, digest, 1, ())

    def sold(self, amount: int = 100_000, quantity: int = 100, **bent: Any) -> Any:
        return sold(self.stage, (self.made, quantity, amount), **bent)

    def decided(self, minute: Looked | None = None, currency: Currency = Currency.USD, **amounts: int) -> Minute:
        asked = Decided(
            currency=currency,
            by_theme={Theme(name): amount for name, amount in (amounts or {"income": 50_000}).items()},
            women=2,
            men=2,
            said="Helmets and lamps for all.",
            decided_on=self.at.date(),
        )
        return self.decided_as(asked, minute or self.paper())

    def decided_as(self, asked: Decided, paper: Looked | None = None) -> Minute:
        return committees.decide(
            self.session,
            site=self.site,
            decided=asked,
            minute=paper or self.paper(),
            open_to_public=False,
            **self.keeping(),
            **self.by_manager(),
        )

    def asked(self, minute: Minute, amount: int = 20_000, **bent: Any) -> Payout:
        asked = {"minute": minute, "amount": amount, "means": PayoutMeans.MOBILE_MONEY, "payee": "Amina, 0811"}
        return disbursing.ask(self.session, **asked | self.by_manager() | bent)

    def recorded(self, payout: Payout, **bent: Any) -> Any:
        self.papers += 1
        asked = {
            "payout": payout,
            "reference": f"MP-{self.papers}",
            "paid_on": self.at.date(),
            "proof": bent.pop("proof", None) or self.paper(),
            "open_to_public": False,
            "by": self.stage.issuer,
            "key": self.stage.key(),
            "at": self.at,
        }
        return disbursing.record(self.session, **self.keeping() | asked | bent)

    def paid(self, minute: Minute, amount: int = 20_000, **bent: Any) -> Payout:
        payout = self.asked(minute, amount)
        self.stage.approve(self.recorded(payout, **bent))
        return payout

    def used(self, payout: Payout, amount: int = 5_000, theme: Theme = Theme.INCOME, **bent: Any) -> Any:
        asked = {
            "payout": payout,
            "bought": Bought(theme, amount, "Twenty helmets", self.at.date()),
            "papers": [Shown(PaperKind.RECEIPT, self.paper(), True)],
        }
        return spending.use(self.session, **asked | self.keeping() | self.by_manager() | bent)

    @property
    def figures(self) -> tuple[int, int, int, int]:
        """Collected, gone back, paid out, held."""
        found = premium_in(self.session, self.site, Currency.USD)
        return found.collected, found.refunded, found.disbursed, found.held

    def must_be_sound(self) -> None:
        assert [promise.name for promise in invariants.check(self.session) if not promise.holds] == []
