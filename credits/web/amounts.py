"""Quantities as holders type them: credits, as decimal text."""

from credits.errors import Conflict
from credits.registry.minerals import Mineral
from credits.registry.queries import Held


class MoreThanHeld(Conflict):
    code = "insufficient_balance"


def base_units_in(held: Held, typed: str) -> int:
    """Base units in the credits typed, of those available. Raises BadMeasure, MoreThanHeld."""
    mineral = held.issuance.mineral
    asked = mineral.base_units(typed)
    if asked > held.available:
        raise MoreThanHeld(
            f"You asked for {in_both(mineral, asked)}, but only {in_both(mineral, held.available)} are available.",
            asked=asked,
            available=held.available,
        )
    return asked


def in_both(mineral: Mineral, base_units: int) -> str:
    """2.5 credits (2,500 kg)"""
    number = mineral.in_credits(base_units)
    return f"{number} {'credit' if number == '1' else 'credits'} ({mineral.quantity(base_units)})"
