import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
from pikepdf.pdfa import check as pdfa_check
from sqlalchemy.exc import IntegrityError

from credits.certificates import pdf, records
from credits.certificates.account_facts import BadDays, Days
from credits.certificates.checks import checking
from credits.certificates.checks.published_keys import keys_in
from credits.certificates.facts import mineral_told
from credits.certificates.issuing import Issuer, freeze_all
from credits.certificates.kinds import figures_of
from credits.certificates.press import NotIssuedYet, pressed
from credits.certificates.record_facts import amount_told, beneficiaries_of, totals_of
from credits.certificates.records import Asking, NoSuchDocument, NothingRetired
from credits.certificates.wording import LANGUAGES
from credits.document_jobs import draw_record, draw_records
from credits.journal.canonical import encode
from credits.ledger.models import AccountKind
from credits.participants.models import Language
from credits.participants.permissions import NoSuchOrganisation
from credits.registry import bulk
from credits.registry.bulk_lines import RetirementLine, TransferLine
from credits.registry.queries import held_of
from tests.certificates.genuine import SIGNED, Registry
from tests.certificates.reading import codes_on, pages_of, text_of, tool, words_outside
from tests.certificates.told import FACTS
from tests.documents import published, workshop_in
from tests.stage import CLAIM

ISSUER = Issuer(name="ASM Credits", url="https://registry.example")
HOSTILE = '<img src="http://evil.example/x"><svg/onload=alert(1)>&amp; Ẹgbẹ́ Ọ̀ṣun'
REGISTRY = Registry.made()
COMPANY = {"name": "Volta Trading SA", "number": "ORG-000031", "country": "CHE"}


@pytest.fixture
def asking(stage):
    return Asking(ISSUER, Language.FR, stage.buyer, stage.at)


@pytest.fixture
def stock(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    return made


@pytest.fixture
def statement(stage, stock):
    lines = [
        RetirementLine(stock.number, 750, CLAIM),
        RetirementLine(stock.number, 50, replace(CLAIM, beneficiary=HOSTILE)),
        RetirementLine(stock.number, 100, CLAIM),
    ]
    made = bulk.retire(
        stage.session,
        holder=stage.buyer.organisation,
        lines=lines,
        policy=stage.policy,
        by=stage.buyer,
        key=stage.key(),
        at=stage.at,
    )
    freeze_all(stage.session, statement=made, issuer=ISSUER)
    return made


def drawn(stage, record, folder: Path) -> Path:
    """The finished file, as the worker issues it."""
    published(stage.session, folder)
    workshop = workshop_in(folder)
    assert draw_records(stage.session, workshop=workshop, at=stage.at) == 1
    file = folder / "document.pdf"
    file.write_bytes(
        workshop.files.read(draw_record(stage.session, number=record.number, workshop=workshop, at=stage.at))
    )
    return file


class TestOfBulk:
    def test_lists_every_certificate_and_what_they_come_to(self, stage, statement, asking, tmp_path):
        record = records.of_bulk(stage.session, statement=statement, asking=asking)
        facts = json.loads(record.facts)
        file = drawn(stage, record, tmp_path)
        said = text_of(file)

        assert record.number == "ASMC-D-000001"
        assert [each["quantity_base_units"] for each in facts["certificates"]] == [750, 50, 100]
        assert [(each["credits"], each["certificates"]) for each in facts["totals"]] == [("0.9", 3)]
        assert [(each["name"], each["quantity_base_units"]) for each in facts["beneficiaries"]] == [
            (CLAIM.beneficiary, 850),
            (HOSTILE, 50),
        ]
        for wanted in ("Relevé de retraits", "ASMC-R-000001", "ASMC-R-000003", "900 kg", "Totaux par minerai", HOSTILE):
            assert wanted in said
        assert "Signature is Valid" in tool("pdfsig", file)
        assert "No syntax or stream encoding errors" in tool("qpdf", "--check", file)
        with pikepdf.open(file) as document:
            assert [each for each in pdfa_check(document, "3b").findings if each.kind == "violation"] == []
            assert str(document.Root.Lang) == "fr"
            assert bytes(document.attachments["certificate.json"].get_file().read_bytes()) == bytes(record.facts)

    def test_happens_once_a_language(self, stage, statement, asking):
        first = records.of_bulk(stage.session, statement=statement, asking=asking)

        assert records.of_bulk(stage.session, statement=statement, asking=asking) is first
        other = records.of_bulk(stage.session, statement=statement, asking=replace(asking, language=Language.SW))
        assert (other.id, other.language) == (first.id + 1, Language.SW)

    def test_is_for_its_own_people_alone(self, stage, statement, asking):
        with pytest.raises(NoSuchOrganisation):
            records.of_bulk(stage.session, statement=statement, asking=replace(asking, by=stage.second))
        record = records.of_bulk(stage.session, statement=statement, asking=asking)

        assert records.record_for(stage.session, stage.buyer, record.number) is record
        assert records.record_for(stage.session, stage.issuer, record.number) is record
        for stranger in (None, stage.second, stage.manager):
            with pytest.raises(NoSuchDocument):
                records.record_for(stage.session, stranger, record.number)

    def test_is_not_made_of_offers(self, stage, stock, asking):
        lines = [TransferLine(stock.number, 5, stage.second.organisation.number, "")]
        offered = bulk.transfer(
            stage.session,
            sender=stage.buyer.organisation,
            lines=lines,
            policy=stage.policy,
            by=stage.buyer,
            key=stage.key(),
            at=stage.at,
        )

        with pytest.raises(NothingRetired):
            records.of_bulk(stage.session, statement=offered, asking=asking)


class TestOfIssuance:
    def test_says_what_was_issued_and_is_for_everybody(self, stage, stock, asking, tmp_path):
        record = records.of_issuance(stage.session, issuance=stock, asking=replace(asking, language=Language.SW))
        said = text_of(drawn(stage, record, tmp_path))

        assert records.record_for(stage.session, None, record.number) is record
        for wanted in (
            "Cheti cha Utoaji wa Krediti",
            "krediti 2.5 za kobalti",
            stock.facts["producer"]["cooperative"],
            "Kamilombe (COD-KAM001)",
            "Kolwezi, Lualaba",
            "CRAFT Code, toleo 2.0",
            stock.facts["assurance"]["verifier"],
            f"{stock.number}-000000001-000002500-",
            json.loads(record.facts)["proof"]["leaf"],
        ):
            assert wanted in said

    @pytest.mark.parametrize(
        ("name", "value"),
        [("facts", b"{}"), ("language", "en"), ("inclusion", b"{}"), ("asked_at", datetime(2020, 1, 1, tzinfo=UTC))],
    )
    def test_freezes_for_good(self, stage, stock, asking, name, value):
        setattr(records.of_issuance(stage.session, issuance=stock, asking=asking), name, value)
        with pytest.raises(IntegrityError):
            stage.session.flush()

    def test_is_never_deleted(self, stage, stock, asking):
        stage.session.delete(records.of_issuance(stage.session, issuance=stock, asking=asking))
        with pytest.raises(IntegrityError):
            stage.session.flush()

    def test_waits_for_the_log(self, stage, stock, asking, tmp_path):
        record = records.of_issuance(stage.session, issuance=stock, asking=asking)
        stage.session.commit()

        with pytest.raises(NotIssuedYet):
            draw_record(stage.session, number=record.number, workshop=workshop_in(tmp_path), at=stage.at)
        record.document_sha256, record.drawn_at = "0" * 64, stage.at
        with pytest.raises(IntegrityError):  # nor does the database take a document before
            stage.session.flush()

    def test_refuses_letters_that_would_print_as_boxes(self, stage, stock, asking):
        with pytest.raises(pdf.Undrawable):
            records.of_issuance(
                stage.session, issuance=stock, asking=replace(asking, issuer=Issuer("登録", "https://x.example"))
            )


class TestOfAccount:
    def test_closes_with_what_is_there(self, stage, stock, statement, asking, tmp_path):
        days = Days(stage.at.date(), stage.at.date())
        record = records.of_account(
            stage.session, holder=stage.buyer.organisation, days=days, asking=asking, key="account"
        )
        facts = json.loads(record.facts)
        (balance,) = facts["balances"]
        held = held_of(stage.session, stage.buyer.organisation, stock).by_kind

        assert (balance["opening"], balance["in"], balance["out"]) == (0, 1_500, 900)
        assert balance["closing"] == sum(held.values()) == held[AccountKind.AVAILABLE] == 600
        assert [(each["kind"], each["quantity_base_units"]) for each in facts["movements"]] == [
            ("received", 1_500),
            ("retired", -900),
        ]
        assert facts["movements"][0]["other"]["number"] == stage.manager.organisation.number
        assert (facts["totals"][0]["credits"], facts["totals"][0]["opening"]) == ("0.6", 0)
        said = text_of(drawn(stage, record, tmp_path))
        for wanted in ("Relevé de compte", "reçu de", "+ 1 500 kg", "− 900 kg", "retiré définitivement"):
            assert wanted in said.replace("\u202f", " ").replace("\xa0", " ")

    def test_opens_with_what_was_there_before(self, stage, stock, asking):
        days = Days(stage.at.date() + timedelta(days=1), stage.at.date() + timedelta(days=2))
        later = replace(asking, at=stage.at + timedelta(days=5))
        record = records.of_account(
            stage.session, holder=stage.buyer.organisation, days=days, asking=later, key="account"
        )
        facts = json.loads(record.facts)

        assert [(each["opening"], each["closing"]) for each in facts["balances"]] == [(1_500, 1_500)]
        assert (facts["movements"], facts["as_of"]) == ([], f"{days.last + timedelta(days=1)}T00:00:00Z")

    def test_counts_once_for_one_key_and_is_nobody_elses(self, stage, stock, asking):
        asked = {"holder": stage.buyer.organisation, "days": Days(stage.at.date(), stage.at.date()), "key": "k"}
        first = records.of_account(stage.session, asking=asking, **asked)

        assert records.of_account(stage.session, asking=asking, **asked) is first
        with pytest.raises(NoSuchOrganisation):
            records.of_account(stage.session, asking=replace(asking, by=stage.second), **asked | {"key": "l"})

    @pytest.mark.parametrize(("first", "last"), [(1, 0), (0, 1)])
    def test_refuses_days_that_are_none(self, stage, asking, first, last):
        day = stage.at.date()
        days = Days(day + timedelta(days=first), day + timedelta(days=last))

        with pytest.raises(BadDays):
            records.of_account(stage.session, holder=stage.buyer.organisation, days=days, asking=asking, key="k")


def heading(schema: str, language: str) -> dict:
    told = {"schema": schema, "language": language, "registry": FACTS["registry"], "number": "ASMC-D-000001"}
    return told | {"verify_url": "https://registry.example/verify", "asked_at": "2026-07-20T08:00:00Z"}


def lines(count: int, name: str = "Volta Batteries GmbH") -> list[dict]:
    return [
        {
            "number": f"ASMC-R-{number:06d}",
            "facts_sha256": "0" * 64,
            "beneficiary": {"name": f"{name} {number % 3}", "country": "DEU", "identifier": "HRB 204812 B"},
            "claim_period": {"from": "2026-01-01", "to": "2026-12-31"},
            "mineral": "CO",
            "credits": "0.001",
            "quantity_base_units": 1,
            "serials": ["ASMC-CO-COD-KAM001-2026-0001-000000001-000000500-K"] * (number % 6 + 1),
        }
        for number in range(1, count + 1)
    ]


def bulk_of(count: int, language: str = "en", name: str = "Volta Batteries GmbH") -> dict:
    told = lines(count, name)
    about = {"number": "BULK-000001", "retired_at": "2026-07-20T07:00:00Z", "lines": count, "lines_sha256": "0" * 64}
    sums = {"totals": totals_of(told), "beneficiaries": beneficiaries_of(told)}
    return heading("asmc-bulk-statement-1", language) | {"bulk": about, "account": COMPANY, "certificates": told} | sums


def account_of(language: str) -> dict:
    kinds = ["issued", "to_buffer", "from_buffer", "retired", "cancelled", "expired", "exported", "received", "sent"]
    movements = [
        {
            "at": "2026-07-20T07:00:00Z",
            "kind": kind,
            "other": COMPANY if kind in ("received", "sent") else None,
            "issuance": "ASMC-CO-COD-KAM001-2026-0001",
            "mineral": "CO",
            "quantity_base_units": -5,
            "serials": ["ASMC-CO-COD-KAM001-2026-0001-000000001-000000005-K"],
        }
        for kind in kinds
    ]
    sums = {"opening": 0, "in": 0, "out": 45, "closing": 45}
    return heading("asmc-account-statement-1", language) | {
        "account": COMPANY,
        "period": {"from": "2026-07-01", "to": "2026-07-20"},
        "as_of": "2026-07-20T08:00:00Z",
        "balances": [{"issuance": "ASMC-CO-COD-KAM001-2026-0001", "mineral": "CO"} | sums],
        "movements": movements,
        "totals": [amount_told("CO", 45) | sums],
    }


def issuance_of(language: str) -> dict:
    return heading("asmc-issuance-certificate-1", language) | {
        "issuance": "ASMC-CO-COD-KAM001-2026-0001",
        "issued_at": "2026-07-01T06:00:00Z",
        "batch": "BATCH-000007",
        "producer": COMPANY | {"name": HOSTILE},
        "mineral": mineral_told("CO"),
        "credits": "2.5",
        "quantity_base_units": 2500,
        "quantity": "2,500 kg",
        "serials": "ASMC-CO-COD-KAM001-2026-0001-000000001-000002500-K",
        "origin": FACTS["origins"][0],
        "verification_statement": None,
        "totals": [amount_told("CO", 2500)],
        "proof": {"leaf": "ab" * 32, "url": "https://registry.example/issuances/X.tlog-proof"},
    }


def finished(facts: dict) -> bytes:
    frozen = encode(facts)
    (way,), proof = REGISTRY.proven([frozen], about=facts["number"])
    return pressed(frozen, inclusion=way, proof=proof, seal=REGISTRY.seal, at=SIGNED)


class TestPaper:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(
        "made", [bulk_of(3, "en", HOSTILE), account_of("en"), issuance_of("en")], ids=["bulk", "account", "issuance"]
    )
    def test_stays_within_its_frame_and_proves_itself(self, made, language, tmp_path):
        made = made | {"language": language}
        file = tmp_path / "document.pdf"
        file.write_bytes(finished(made))
        verdict = checking.check(file.read_bytes(), keys_in(json.dumps(REGISTRY.keys()).encode()))

        assert words_outside(file) == []
        assert verdict.outcome is checking.Outcome.GENUINE
        assert verdict.is_proven
        assert verdict.kind == made["schema"].split("-")[1]

    def test_goes_on_over_many_numbered_pages(self, tmp_path):
        file = tmp_path / "document.pdf"
        file.write_bytes(finished(bulk_of(1_000)))
        pages = pages_of(file)
        said = text_of(file)

        assert pages > 10
        assert set(re.findall(r"ASMC-R-\d{6}", said)) == {f"ASMC-R-{number:06d}" for number in range(1, 1_001)}
        assert f"page {pages} of {pages}" in said
        assert codes_on(file) == ["https://registry.example/verify"]
        assert "1,000 kg" in said
        assert words_outside(file) == []

    def test_of_other_facts_is_found_out(self):
        facts = bulk_of(2)
        frozen = encode(facts)
        (way,), proof = REGISTRY.proven([encode(bulk_of(3))], about=facts["number"])
        content = pressed(frozen, inclusion=way, proof=proof, seal=REGISTRY.seal, at=SIGNED)

        verdict = checking.check(content, keys_in(json.dumps(REGISTRY.keys()).encode()))
        assert [failed.name for failed in verdict.failures] == ["inclusion"]


class TestFiguresOf:
    @pytest.mark.parametrize("totals", [None, [], [{"mineral": None}], [{}], ["x"]])
    def test_names_what_is_wrong(self, totals):
        if totals == []:
            assert figures_of({"number": "N", "totals": totals}) == "N"
            return
        with pytest.raises((KeyError, TypeError)):
            figures_of({"number": "N", "totals": totals})
