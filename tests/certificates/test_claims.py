from credits.certificates.claims import LIMITS, sentence
from credits.registry.minerals import MINERALS

NEVER = (
    "contains",
    "made with",
    "sourced from",
    "traceable",
    "conflict-free",
    "child-labour-free",
    "ethical",
    "offset",
)


class TestSentence:
    def test_is_the_allowed_one_with_exact_figures(self):
        said = sentence(
            year="2026",
            company="Nordlicht AB",
            mineral=MINERALS["CO"],
            cooperative="CMDS",
            country="Democratic Republic of the Congo",
            base_units=2_500,
        )

        assert said == (
            "In 2026, Nordlicht AB supported responsible artisanal cobalt mining at CMDS, Democratic Republic of the "
            "Congo, by retiring 2.5 credits equal to 2,500 kg. The cobalt in our products is not physically traced to "
            "this site."
        )

    def test_counts_one_credit_as_one(self):
        said = sentence(
            year="2026", company="A", mineral=MINERALS["AU"], cooperative="B", country="Peru", base_units=1_000
        )

        assert "retiring 1 credit equal to 1,000 mg" in said
        assert not any(word in said for word in NEVER)


class TestLimits:
    def test_name_what_may_never_be_said(self):
        assert all(word in " ".join(LIMITS) for word in ("traceable", "conflict-free", "due diligence"))
