"""The whole way of 2,500 kg of cobalt, from the site to a certificate, walked on a phone."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.participants.models import User
from credits.registry.assurance import assessing
from credits.registry.assurance.assurance_models import Assessment
from tests.documents import worked
from tests.journeys.conftest import Cast, days_ago

Phone = Callable[..., Page]


def fill(page: Page, **values: str) -> None:
    """Type into the fields by name, and choose where there is a choice."""
    for name, value in values.items():
        field = page.locator(f"main [name={name}]")
        if field.first.get_attribute("type") == "radio":
            page.locator(f"main [name={name}][value={value}]").check()
        elif field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.locator("main").get_by_role("link", name=name).first.click()


def fits(page: Page) -> None:
    """The page needs no sideways scrolling on a phone, and has one headline."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("h1").count() == 1


def licensed_site(page: Page) -> None:
    page.goto("/my/sites/new")
    fill(
        page,
        name="Kamilombe",
        country="COD",
        province="Lualaba",
        district="Mutshatsha",
        latitude="-10.7537",
        longitude="25.3916",
        access="tolerated",
        concession_owner="Gécamines",
        method="underground",
        mercury="no",
        miners="820",
        conflict_affected="unknown",
    )
    fits(page)
    page.locator("main form button[type=submit]").click()
    page.goto("/my/sites/COD-KAM001/match")
    expect(page.locator("main")).to_contain_text("Source: IPIS")
    page.locator("input[name=pcode][value=codmine03715]").check()
    page.locator("main form button[type=submit]").click()
    page.goto("/my/sites/COD-KAM001/licences/new")
    fill(page, number="PE-4711", authority="CAMI", valid_from=days_ago(400), valid_to=days_ago(-400))
    page.locator("main form button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("PE-4711")
    fits(page)


def paper(page: Page, folder: Path, kind: str) -> None:
    page.goto("/batches/BATCH-000001/evidence/new")
    file = folder / f"{kind}.csv"
    file.write_text(f"{kind},kg\n2026,8000\n", encoding="utf-8")
    fill(page, kind=kind, reference=f"{kind}-17")
    page.locator("input[type=file]").set_input_files(file)
    page.locator("main form button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(f"{kind}.csv")


def step(page: Page, **typed: str) -> None:
    """One of the short steps in which a batch is entered."""
    fill(page, **typed)
    fits(page)
    press(page, "Save and continue")


def in_one_year(first: str, last: str) -> tuple[str, str]:
    """The longer part of a period on one side of New Year: a batch has one vintage."""
    if first[:4] == last[:4]:
        return first, last
    before, after = (first, f"{first[:4]}-12-31"), (f"{last[:4]}-01-01", last)
    return before if first[5:] < "11-16" else after


def submitted_batch(page: Page, folder: Path) -> None:
    page.goto("/batches/new")
    page.locator("main [name=site]").select_option(index=0)
    fill(page, mineral="CO")
    step(page)
    first, last = in_one_year(days_ago(120), days_ago(31))
    step(page, produced_from=first, produced_to=last, miners="820", days_worked="40")
    fill(page, delivered_as="ore", gross_kg="10000", moisture="20")
    if not page.evaluate("'htmx' in window"):  # it is worked out while one types, or when one asks
        press(page, "Work it out")
    expect(page.locator("#arithmetic")).to_contain_text("10,000 kg − 20 % moisture = 8,000 kg dry")
    step(page)
    step(page, grade="31,25", sold_to="Musompo depot")
    expect(page.locator("main")).to_contain_text("8,000 kg dry × 31.25 % Co = 2,500 kg")
    expect(page.locator("main")).to_contain_text("Still missing")
    for kind in ("scale_log", "assay"):
        paper(page, folder, kind)
    page.goto("/batches/BATCH-000001/submit")
    page.locator("main form button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("Submitted")
    fits(page)


def asked_and_answered(verifier: Page, coop: Page, folder: Path) -> None:
    verifier.goto("/admin/batches/BATCH-000001")
    press(verifier, "I declare this and take it into review")
    fill(verifier, text="Please add the sales invoice <b>of May</b>.")
    fits(verifier)
    verifier.locator("main form[action$=request] button[type=submit]").click()
    expect(verifier.locator("main")).to_contain_text("Please add the sales invoice <b>of May</b>.")
    coop.goto("/batches/BATCH-000001")
    expect(coop.locator("main")).to_contain_text("<b>of May</b>")
    paper(coop, folder, "sales_invoice")
    coop.goto("/batches/BATCH-000001/answer")
    coop.get_by_label("Your answer").fill("The invoice is there now.")
    coop.locator("main form button[type=submit]").click()


def assessed(page: Page, session: Session, registry: Flask, lead: User) -> None:
    """Begun on the page; the first modules come from a program; the last one, with something left to do, by hand."""
    page.goto("/admin/batches/BATCH-000001/assessment")
    page.locator("main form button[type=submit]").click()
    fits(page)
    answered_by_a_program(session, registry, lead)
    page.reload()
    part = page.locator("main form[action$='modules/5']")
    for question in part.locator("fieldset").all():
        question.locator("input[type=radio]").first.check()
        question.locator("textarea").first.fill("Seen on the visit.")
    question.get_by_label("Progressing").check()
    question.get_by_label("What was found").fill("An old pit stands open.")
    question.get_by_label("Severity").select_option("minor")
    question.get_by_label("Put right by").fill(days_ago(-90))
    question.get_by_label("What is done about it").fill("The pit is fenced, then filled.")
    fits(page)
    part.locator("button[type=submit]").last.click()
    expect(page.locator("body")).to_contain_text("Module 5 is saved.")
    expect(page.locator("main")).to_contain_text("Step 5: other high risks under mitigation")
    page.locator("main form[action$=complete] button[type=submit]").click()
    expect(page.locator("body")).to_contain_text("is complete")


def answered_by_a_program(session: Session, registry: Flask, lead: User) -> None:
    """Modules 1 to 4, all met."""
    begin_writing(session)
    by = session.get_one(User, lead.id)
    assessment = session.scalars(select(Assessment)).one()
    for module in assessment.edition.standard.modules[:4]:
        best = assessing.Given(module.answers.words[0], evidence="Seen on the visit.")
        assessing.save_module(
            session,
            assessment=assessment,
            module=module,
            given={each.code: best for each in module.requirements},
            seen=None,
            policy=registry.extensions["policy"],
            by=by,
            at=datetime.now(UTC),
        )
    session.commit()


def verified(page: Page) -> None:
    page.goto("/admin/batches/BATCH-000001/verify")
    fill(
        page,
        how="visited",
        visited_from=days_ago(20),
        visited_to=days_ago(18),
        valid_from=days_ago(200),
        valid_to=days_ago(-165),
        opinion="Scale log, assay and invoice agree.",
    )
    fits(page)
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator("main")).to_contain_text("Verified")


def issued(page: Page) -> str:
    page.goto("/admin/batches/BATCH-000001/issue")
    expect(page.locator("main")).to_contain_text("2.5 credits")
    fits(page)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/admin/issuances/*")
    return page.url.rpartition("/")[2]


def handed_over(coop: Page, buyer: Page, name: str, issuance: str, quantity: str) -> None:
    coop.goto(f"/holdings/{issuance}/transfer?q={name}")
    coop.get_by_role("link", name=re.compile("Choose")).click()
    fill(coop, quantity=quantity)
    coop.locator("main form button[type=submit]").first.click()
    fits(coop)
    coop.locator("main form button[type=submit]").first.click()
    coop.wait_for_url("**/transfers/TRANSFER-*")
    buyer.goto("/transfers")
    fits(buyer)
    buyer.goto(coop.url)
    press(buyer, f"Accept {quantity} credits")
    expect(buyer.locator("main")).to_contain_text("Accepted")


def retired(page: Page, issuance: str) -> str:
    year = issuance.split("-")[4]
    page.goto(f"/holdings/{issuance}/retire")
    fill(
        page,
        quantity="0.75",
        beneficiary="Nordlicht Batteries AB",
        country="SWE",
        identifier="SE 556000-0001",
        purpose="Cells of model N1, product year " + year,
        claim_from=f"{year}-01-01",
        claim_to=f"{year}-12-31",
    )
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("main")).to_contain_text("no way back")
    fits(page)
    press(page, "Retire for good")
    page.wait_for_url("**/retirements/ASMC-R-*")
    return page.url.rpartition("/")[2]


def certificate_holds(public: Page, number: str, folder: Path) -> None:
    """The PDF says what its page says, and its QR code leads to that page."""
    public.goto(f"/certificates/{number}")
    fits(public)
    shown = public.locator("main").inner_text()
    pdf = folder / "certificate.pdf"
    pdf.write_bytes(public.request.get(f"/certificates/{number}.pdf").body())
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    facts = json.loads(public.request.get(f"/certificates/{number}.json").text())
    serial = facts["origins"][0]["serials"][0]
    for fact in (number, "0.75", "750 kg", "Nordlicht Batteries AB", "SE 556000-0001", "Kamilombe", serial):
        assert fact in text
        assert fact in shown
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", pdf, folder / "page"], check=True)
    code = subprocess.run(["zbarimg", "-q", "--raw", folder / "page.png"], capture_output=True, text=True, check=True)
    assert code.stdout.strip() == facts["verify_url"]
    public.goto(code.stdout.strip())
    expect(public.locator("h1")).to_contain_text(number)


def every_serial_has_one_place(public: Page, issuance: str) -> None:
    """Looked up one by one at both ends of every range, each serial stands in just one place."""
    expected = [
        (1, 750, "Nordlicht Batteries"),
        (751, 1_500, "Nordlicht Batteries"),
        (1_501, 2_500, "Hikari Motors"),
    ]
    for first, last, holder in expected:
        for unit in (first, last):
            public.goto(f"/issuances/{issuance}/unit?unit={unit}")
            said = public.locator("main").inner_text()
            assert holder in said
            assert ("Retired" in said) is (last == 750)
    public.goto(f"/issuances/{issuance}/unit?unit=2501")
    assert "2501" not in public.locator("h1").inner_text()


# Both ways on both databases would walk every page four times; the pages' own tests try them on both.
@pytest.mark.parametrize(
    "database, javascript",
    [("sqlite", False), ("postgresql", True)],
    indirect=["database"],
    ids=["sqlite without JavaScript", "postgresql with JavaScript"],
)
def test_from_the_site_to_the_certificate(
    phone: Phone, cast: Cast, registry: Flask, session: Session, tmp_path: Path, javascript: bool
) -> None:
    pages = [phone(user, javascript=javascript) for user in vars(cast).values()]
    coop, verifier, issuer, maker, second = pages
    public = phone(None, javascript=javascript)

    licensed_site(coop)
    submitted_batch(coop, tmp_path)
    asked_and_answered(verifier, coop, tmp_path)
    assessed(verifier, session, registry, cast.verifier)
    verified(verifier)
    issuance = issued(issuer)
    assert re.fullmatch(r"ASMC-CO-COD-KAM001-20\d\d-0001", issuance)

    handed_over(coop, maker, "Nordlicht", issuance, "1.5")
    handed_over(coop, second, "Hikari", issuance, "1")
    number = retired(maker, issuance)

    public.goto(f"/certificates/{number}")
    expect(public.locator("main")).to_contain_text("The document is being issued")
    worked(registry, session)
    certificate_holds(public, number, tmp_path)
    every_serial_has_one_place(public, issuance)
