import json
from dataclasses import replace

import pytest

from credits.certificates.checks import proof_checking
from credits.certificates.checks.attached import paper_in
from credits.certificates.checks.checking import FACTS as FACTS_FILE
from credits.certificates.checks.checking import INCLUSION, PROOF, Outcome, Result, check
from credits.certificates.checks.signature_checking import Unsound, gap_in
from credits.certificates.verify import summary
from credits.journal import keys as log_keys
from credits.journal.canonical import encode
from tests.certificates.checks.bent import failed, flipped
from tests.certificates.genuine import SIGNED, Registry, keys_of, signed_with
from tests.certificates.told import told_facts
from tests.journal import reference


@pytest.fixture(scope="module")
def carried(genuine):
    return paper_in(genuine, gap_in(genuine)).attachments


class TestWhatIsEnclosed:
    """Had somebody the registry's own signature, its log would still not speak for them."""

    @pytest.mark.parametrize(
        ("bend", "names"),
        [
            (lambda facts, files: files | {FACTS_FILE: encode(facts | {"credits": "9"})}, ["inclusion"]),
            (lambda facts, files: files | {FACTS_FILE: encode(facts | {"number": "ASMC-R-000018"})}, ["paper", "log"]),
            (
                lambda facts, files: files | {FACTS_FILE: encode(facts | {"quantity_base_units": 9})},
                ["paper", "inclusion"],
            ),
            (lambda facts, files: files | {FACTS_FILE: encode(facts | {"schema": "asmc-other-1"})}, ["attachments"]),
            (lambda facts, files: files | {FACTS_FILE: json.dumps(facts).encode()}, ["facts"]),
            (lambda facts, files: files | {FACTS_FILE: b"\xff"}, ["facts"]),
            (lambda facts, files: files | {"more.txt": b"more"}, ["attachments"]),
            (lambda facts, files: {FACTS_FILE: files[FACTS_FILE]}, ["attachments"]),
            (lambda facts, files: {INCLUSION: files[INCLUSION]}, ["facts"]),
        ],
    )
    def test_is_held_against_each_other(self, registry, keys, carried, bend, names):
        facts = told_facts()
        document = signed_with(registry, facts, *bend(facts, dict(carried)).items())

        assert failed(check(document, keys)) == names

    def test_proves_nothing_under_another_logs_key(self, registry, keys, carried):
        frozen = carried[FACTS_FILE]
        (way,), proof = Registry(registry.seal, Registry.made(seed=3).log).proven([frozen], about="ASMC-R-000017")
        files = {FACTS_FILE: frozen, INCLUSION: way, PROOF: proof.text.encode()}

        verdict = check(signed_with(registry, told_facts(), *files.items()), keys)
        assert failed(verdict) == ["log"]
        assert "none of the keys" in verdict.checks["log"].text

    @pytest.mark.parametrize(
        "bent",
        [
            {"kind": "certificate.noted"},
            {"subject": "ASMC-R-000016"},
            {"subject": None},
            {"at": None},
            {"at": "2026-07-20T08:00:00"},
            {"at": "2026-07-31T12:06:00Z"},
            {"facts": None},
            {"facts": []},
        ],
    )
    def test_proves_nothing_by_another_entry(self, registry, keys, carried, bent):
        (way,), proof = registry.proven([carried[FACTS_FILE]], about="ASMC-R-000017", **bent)
        files = carried | {INCLUSION: way, PROOF: proof.text.encode()}

        assert failed(check(signed_with(registry, told_facts(), *files.items()), keys)) == ["log"]

    def test_proves_nothing_by_a_key_of_the_log_that_came_later_or_had_ended(self, registry, genuine):
        (key,) = registry.log.keys
        later = log_keys.LogKeys(registry.log.origin, (replace(key, since="2027-01-01T00:00:00+00:00"),))
        ended = log_keys.LogKeys(registry.log.origin, (replace(key, until="2026-07-02T00:00:00+00:00"),))
        since = log_keys.LogKeys(registry.log.origin, (replace(key, until="2026-07-21T00:00:00+00:00"),))

        assert failed(check(genuine, keys_of(registry, log=later))) == ["log"]
        assert failed(check(genuine, keys_of(registry, log=ended))) == ["log"]
        assert check(genuine, keys_of(registry, log=since)).outcome is Outcome.GENUINE

    @pytest.mark.parametrize("leaves", ["1", None, True])
    def test_takes_nothing_for_a_number_that_is_none(self, registry, keys, carried, leaves):
        root = json.loads(registry.proven([carried[FACTS_FILE]], about="ASMC-R-000017")[1].body)["facts"]["root"]
        for said, asked in ((leaves, leaves), (1, leaves), (leaves, 1)):
            event = {"root": root, "leaves": said, "schema": told_facts()["schema"]}
            (way,), proof = registry.proven([carried[FACTS_FILE]], about="ASMC-R-000017", facts=event)
            steps = json.dumps(json.loads(way) | {"leaves": asked}, separators=(",", ":"), sort_keys=True).encode()
            files = carried | {INCLUSION: steps, PROOF: proof.text.encode()}

            assert failed(check(signed_with(registry, told_facts(), *files.items()), keys)) == ["inclusion"]

    @pytest.mark.parametrize("name", ["credits", "quantity", "beneficiary", "mineral", "claim_period", "registry"])
    @pytest.mark.parametrize("value", [None, [], {"url": [], "code": "ASMC"}, 5])
    def test_does_not_stumble_over_facts_of_another_shape(self, registry, keys, name, value):
        facts = told_facts() | {name: value}
        (way,), proof = registry.proven([encode(facts)], about="ASMC-R-000017")
        files = {FACTS_FILE: encode(facts), INCLUSION: way, PROOF: proof.text.encode()}
        verdict = check(signed_with(registry, told_facts(), *files.items()), keys)

        assert failed(verdict) == ["registry" if name == "registry" else "paper"]
        assert summary(verdict).startswith("NOT GENUINE")

    @pytest.mark.parametrize(
        "bent",
        [
            {"retired_at": "yesterday"},
            {"retired_at": "0001-01-01T00:00:00+23:59"},
            {"claim_period": {"from": "2026-01-01", "to": "2026-13-01"}},
            {"claim_period": {"from": "now", "to": "2026-12-31"}},
        ],
    )
    def test_takes_no_day_that_is_none(self, registry, keys, bent):
        facts = told_facts(**bent)
        (way,), proof = registry.proven([encode(facts)], about="ASMC-R-000017")
        files = {FACTS_FILE: encode(facts), INCLUSION: way, PROOF: proof.text.encode()}
        verdict = check(signed_with(registry, told_facts(), *files.items()), keys)

        assert failed(verdict) == ["paper"]
        assert summary(verdict).startswith("NOT GENUINE")

    def test_counts_one_certificate_of_many_under_one_entry(self, registry, keys):
        many = [told_facts(number=f"ASMC-R-{number:06d}", statement="BULK-000003") for number in range(1, 8)]
        frozen = [encode(each) for each in many]
        ways, proof = registry.proven(frozen, about="BULK-000003")
        files = {FACTS_FILE: frozen[4], INCLUSION: ways[4], PROOF: proof.text.encode()}
        sound = check(signed_with(registry, many[4], *files.items()), keys)
        other = check(signed_with(registry, many[4], *(files | {INCLUSION: ways[3]}).items()), keys)

        assert sound.outcome is Outcome.GENUINE
        assert failed(other) == ["inclusion"]

    def test_leaves_open_the_earliest_certificates_which_have_no_proof(self, registry, keys):
        facts = told_facts(schema="asmc-retirement-certificate-1")
        verdict = check(signed_with(registry, facts, (FACTS_FILE, encode(facts))), keys)

        assert (verdict.outcome, verdict.failures) == (Outcome.UNKNOWN, [])
        assert verdict.checks["log"].result is Result.UNKNOWN
        assert summary(verdict).startswith(
            "COULD NOT TELL: the registry's key has signed it. Not proven: it is from before"
        )

    def test_fails_at_every_changed_byte_of_facts_steps_and_proof(self, keys, carried):
        facts, steps, proof = carried[FACTS_FILE], carried[INCLUSION], carried[PROOF]
        event = proof_checking.event_in(proof, keys.log, SIGNED)

        def holds(facts: bytes, steps: bytes, proof: bytes) -> bool:
            try:
                told = proof_checking.canonical(facts, "The facts")
                event = proof_checking.event_in(proof, keys.log, SIGNED)
                proof_checking.must_speak_of(event, told)
                proof_checking.must_lead(facts, steps, event)
            except Unsound:
                return False
            return True

        assert holds(facts, steps, proof)
        for content, ask in (
            (facts, lambda bent: holds(bent, steps, proof)),
            (steps, lambda bent: holds(facts, bent, proof)),
            (proof, lambda bent: holds(facts, steps, bent)),
        ):
            assert [place for place in range(len(content)) if ask(flipped(content, place, 1 << place % 7))] == []
        assert event.subject == "ASMC-R-000017"

    def test_agrees_with_the_tree_as_the_standard_writes_it(self, registry):
        """RFC 6962 by a way of its own: no line of it is shared with the registry."""
        frozen = [encode({"schema": "asmc-retirement-certificate-2", "number": str(number)}) for number in range(11)]
        ways, proof = registry.proven(frozen, about="BULK-000001")
        root = json.loads(proof.body)["facts"]["root"]

        assert root == reference.root(frozen).hex()
        for index, way in enumerate(ways):
            assert json.loads(way)["path"] == [each.hex() for each in reference.path(index, frozen)]
