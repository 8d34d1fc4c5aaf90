"""Statements: many lines retired or offered at once, all or none."""

from typing import Any

from flask import current_app

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, acting, created
from credits.api.schemas.movements import (
    BulkRetireRequest,
    BulkTransferRequest,
    RetireChosenRequest,
    Statement,
)
from credits.certificates.issuing import freeze_all
from credits.extensions import db
from credits.identity import current_user, now
from credits.participants.models import Language
from credits.registry import bulk, choosing, models, public, queries, statements
from credits.registry.bulk_lines import RetirementLine, TransferLine
from credits.registry.retirement import Claim

area = Area("statements", "Statements: many lines retired or offered at once, all or none.")


@area.post("/retirements/bulk", takes=BulkRetireRequest, gives=Statement, creates=True)
def retire_in_bulk(key: str, asked: dict[str, Any]) -> Sent:
    """Retire many lines for good, each in its own beneficiary's name: all of them or none."""
    lines = [RetirementLine(line.pop("issuance"), line.pop("quantity"), Claim(**line)) for line in asked["lines"]]
    return frozen(bulk.retire(db.session, lines=lines, **carrying(key)), asked["language"])


@area.post("/retirements/chosen", takes=RetireChosenRequest, gives=Statement, creates=True)
def retire_chosen(key: str, asked: dict[str, Any]) -> Sent:
    """Retire credits of one mineral for good, the oldest production first. Each issuance is a line."""
    issuance, site, language = asked.pop("issuance"), asked.pop("site"), asked.pop("language")
    choice = choosing.Choice(
        mineral_code=asked.pop("mineral"),
        at_least=asked.pop("at_least"),
        at_most=asked.pop("at_most"),
        issuance=queries.issuance_numbered(db.session, issuance) if issuance else None,
        vintage=asked.pop("vintage"),
        site=public.site_known_as(db.session, site) if site else None,
    )
    return frozen(bulk.retire_chosen(db.session, choice=choice, claim=Claim(**asked), **carrying(key)), language)


@area.post("/transfers/bulk", takes=BulkTransferRequest, gives=Statement, creates=True)
def offer_in_bulk(key: str, asked: dict[str, Any]) -> Sent:
    """Offer many lines, each to its own recipient, who accepts it by itself: all of them or none."""
    made = bulk.transfer(
        db.session,
        sender=acting(asked["sender"]),
        lines=[TransferLine(**line) for line in asked["lines"]],
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(told(made), "api.statements.show_statement", number=made.number)


@area.get("/statements/<number>", gives=Statement)
def show_statement(number: str) -> With:
    """One statement, with the numbers of its retirements or transfers."""
    return told(statements.statement_numbered(db.session, current_user(), number))


def carrying(key: str) -> dict[str, Any]:
    """Whose credits are retired, by whom, when and under which rules."""
    user, policy = current_user(), current_app.extensions["policy"]
    return {"holder": user.organisation, "policy": policy, "by": user, "key": key, "at": now()}


def frozen(made: models.Bulk, language: Language | None) -> Sent:
    """Freeze the certificates of what was retired, and commit; the worker draws them."""
    freeze_all(db.session, statement=made, issuer=current_app.extensions["issuer"], language=language)
    db.session.commit()
    return created(told(made), "api.statements.show_statement", number=made.number)


def told(made: models.Bulk) -> With:
    return With(made, numbers=statements.numbers_in(db.session, made))
