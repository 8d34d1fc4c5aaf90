import pytest

from credits.errors import Missing
from credits.registry.making import batches
from credits.registry.papers import evidence
from credits.registry.papers.evidence import EvidenceClosed, EvidenceUsed
from credits.registry.production import EvidenceKind
from credits.registry.reviews import verification
from tests import papers
from tests.factories import UserFactory

PDF = papers.pdf()
PNG = papers.png()


class TestAdd:
    def test_keeps_the_file_under_its_hash(self, stage):
        paper = stage.paper(stage.draft(), EvidenceKind.ASSAY, content=PDF, filename="Résultat.PDF")

        assert stage.files.read(paper.sha256) == PDF
        assert (paper.media_type, paper.size, paper.pages) == ("application/pdf", len(PDF), 1)
        assert paper.filename == "Résultat.PDF"

    def test_keeps_no_path_of_the_sender_s_machine(self, stage):
        paper = stage.paper(stage.draft(), EvidenceKind.ASSAY, content=PDF, filename="..\\..\\etc/passwd.pdf")

        assert paper.filename == "passwd.pdf"

    def test_refuses_the_same_file_under_another_batch(self, stage):
        site = stage.site()
        first = stage.draft(site)
        stage.paper(first, EvidenceKind.ASSAY, content=PDF, filename="a.pdf")
        with pytest.raises(EvidenceUsed, match=first.number):
            stage.paper(stage.draft(site), EvidenceKind.SCALE_LOG, content=PDF, filename="b.pdf")

    def test_refuses_the_same_number_under_another_batch(self, stage):
        site = stage.site()
        stage.paper(stage.draft(site), EvidenceKind.ASSAY, reference="LAB-1")
        with pytest.raises(EvidenceUsed):
            stage.paper(stage.draft(site), EvidenceKind.ASSAY, reference="LAB-1")

    def test_lets_papers_of_two_kinds_share_a_number(self, stage):
        batch = stage.draft()
        stage.paper(batch, EvidenceKind.ASSAY, reference="1")

        assert stage.paper(batch, EvidenceKind.SCALE_LOG, reference="1")

    @pytest.mark.parametrize("other", ["INV-1", " inv 1", "Inv\u20111", "inv1"])
    def test_knows_a_number_however_it_is_written(self, stage, other):
        site = stage.site()
        stage.paper(stage.draft(site), EvidenceKind.SALES_INVOICE, reference="inv 1")
        with pytest.raises(EvidenceUsed):
            stage.paper(stage.draft(site), EvidenceKind.SALES_INVOICE, reference=other)

    def test_takes_marks_alone_for_no_number(self, stage):
        site = stage.site()
        stage.paper(stage.draft(site), EvidenceKind.SALES_INVOICE, reference="-")

        assert stage.paper(stage.draft(site), EvidenceKind.SALES_INVOICE, reference="-").reference is None

    @pytest.fixture
    def abroad(self, stage):
        """A batch of somebody with a paper of each kind numbered 1; the stage then is a stranger's."""
        batch = stage.draft()
        for kind in EvidenceKind:
            stage.paper(batch, kind, reference="1", content=f"{kind},1\n".encode(), filename="a.csv")
        stranger = UserFactory()
        stage.coop, stage.manager, stage.clerk = stranger.organisation, stranger, stranger
        return batch

    @pytest.mark.parametrize("kind", [kind for kind in EvidenceKind if kind is not EvidenceKind.TAG_LOG])
    def test_lets_every_producer_number_its_own_papers(self, stage, abroad, kind):
        assert stage.paper(stage.draft(), kind, reference="1")

    def test_counts_a_laboratory_s_number_once_for_all_producers(self, stage, abroad):
        lab = {"kind": EvidenceKind.ASSAY, "reference": "2026-118", "issuer": "Alex Stewart"}
        stage.paper(stage.draft(), **lab)
        stranger = UserFactory()
        stage.coop, stage.manager, stage.clerk = stranger.organisation, stranger, stranger

        with pytest.raises(EvidenceUsed, match="2026-118"):
            stage.paper(stage.draft(), **lab | {"issuer": "ALEX-STEWART"})
        assert stage.paper(stage.draft(stage.site(name="Mutoshi")), **lab | {"issuer": "Bivac"})

    def test_counts_each_tag_of_a_log(self, stage):
        site = stage.site()
        log = stage.paper(stage.draft(site), EvidenceKind.TAG_LOG, reference="T-098 .. T-101, S-7\nS-8")

        assert log.reference == "T-098, T-099, T-100, T-101, S-7, S-8"
        for again in ("T-100", "s 8", "t-050 .. t-098"):
            with pytest.raises(EvidenceUsed):
                stage.paper(stage.draft(site), EvidenceKind.TAG_LOG, reference=again)
        assert stage.paper(stage.draft(site), EvidenceKind.TAG_LOG, reference="T-102")

    def test_names_the_number_that_is_used(self, stage):
        batch = stage.draft()
        stage.paper(batch, EvidenceKind.TAG_LOG, reference="T-1;T-2")
        with pytest.raises(EvidenceUsed, match="The number T-2 is with the batch already") as refusal:
            stage.paper(batch, EvidenceKind.TAG_LOG, reference="T-2 .. T-900")

        assert refusal.value.detail == {"number": "T-2"}

    @pytest.mark.parametrize(
        "same", [{"kind": EvidenceKind.TAG_LOG, "reference": "1"}, {"content": b"photo,1\n", "filename": "b.csv"}]
    )
    def test_says_nothing_of_a_stranger_s_batch(self, stage, abroad, same):
        with pytest.raises(EvidenceUsed) as refusal:
            stage.paper(stage.draft(), **{"kind": EvidenceKind.ASSAY} | same)

        assert abroad.number not in str(refusal.value)

    def test_is_over_once_submitted_and_open_again_when_asked(self, stage):
        batch = stage.in_review()
        with pytest.raises(EvidenceClosed):
            stage.paper(batch, EvidenceKind.PHOTO, content=PNG, filename="a.png")
        verification.request_information(
            stage.session, batch=batch, text="A photo?", by=stage.lead, key="ask", at=stage.at
        )

        assert stage.paper(batch, EvidenceKind.PHOTO, content=PNG, filename="a.png")

    def test_is_not_for_strangers(self, stage):
        with pytest.raises(Missing):
            stage.paper(stage.draft(), EvidenceKind.ASSAY, by=stage.buyer)

    def test_counts_once_a_key(self, stage):
        batch = stage.draft()
        same = {"content": PDF, "filename": "a.pdf", "reference": "LAB-1", "key": "once"}

        assert stage.paper(batch, EvidenceKind.ASSAY, **same).id == stage.paper(batch, EvidenceKind.ASSAY, **same).id


class TestRemove:
    def test_takes_a_paper_from_a_draft_and_frees_it(self, stage):
        site = stage.site()
        paper = stage.paper(stage.draft(site), EvidenceKind.ASSAY, content=PDF, filename="a.pdf", reference="LAB-1")
        evidence.remove(stage.session, paper=paper, files=stage.files, by=stage.clerk, at=stage.at)

        assert stage.paper(stage.draft(site), EvidenceKind.ASSAY, content=PDF, filename="a.pdf", reference="LAB-1")

    def test_never_takes_what_was_submitted(self, stage):
        batch = stage.submitted()
        with pytest.raises(EvidenceClosed):
            evidence.remove(stage.session, paper=batch.evidence[0], files=stage.files, by=stage.clerk, at=stage.at)


class TestFree:
    @pytest.mark.parametrize("end", ["withdrawn", "rejected"])
    def test_lets_a_new_batch_bring_the_papers_of_one_that_came_to_nothing(self, stage, end):
        site = stage.site()
        batch = stage.in_review(site)
        if end == "withdrawn":
            batches.withdraw(stage.session, batch=batch, by=stage.clerk, at=stage.at)
        else:
            verification.reject(stage.session, batch=batch, text="No.", by=stage.lead, key="no", at=stage.at)
        same = {"content": stage.files.read(batch.evidence[0].sha256), "reference": batch.evidence[0].reference}

        assert stage.paper(stage.draft(site), batch.evidence[0].kind, **same).counts
        with pytest.raises(EvidenceUsed):
            stage.paper(stage.draft(site), batch.evidence[0].kind, **same)
