"""What a buyer may say after a retirement, and what nobody may. Pure."""

from credits.registry.minerals import Mineral

LIMITS = (
    "This is a book-and-claim credit: the mineral in any product is not physically traced to the site.",
    (
        "It gives no leave to say that a product contains, is made with or is sourced from this mineral, nor that it "
        "is traceable, conflict-free, child-labour-free, ethical, responsible, offset or neutral."
    ),
    "It does not show that the due diligence required by law has been done.",
    "The sole right to this claim is the beneficiary's. The certificate cannot be transferred, sold or used twice.",
)


def sentence(*, year: str, company: str, mineral: Mineral, cooperative: str, country: str, base_units: int) -> str:
    """The allowed sentence, with exact figures. year: "2026" or "2025/2026"; country: its name."""
    number = mineral.in_credits(base_units)
    credit = "credit" if number == "1" else "credits"
    return (
        f"In {year}, {company} supported responsible artisanal {mineral.name} mining at {cooperative}, {country}, "
        f"by retiring {number} {credit} equal to {mineral.quantity(base_units)}. "
        f"The {mineral.name} in our products is not physically traced to this site."
    )
