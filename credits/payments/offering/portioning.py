"""How much of what fits one order takes: no more than can be paid at once. Pure."""

from collections.abc import Sequence

from credits.payments.gateway import MOST
from credits.payments.models import Means
from credits.payments.offering.filling import MOST_LINES, Line, line_of
from credits.payments.prices import LARGEST
from credits.registry.minerals import MILLION


def most_of(means: Means) -> int:
    """What is paid at once by such means at most, in minor units."""
    return MOST if means is Means.STRIPE else LARGEST


def portion(lines: Sequence[Line], means: Means, tax_ppm: int) -> list[Line]:
    """The first of these lines, the last of them perhaps in part, that one order can have and one payment pay."""
    room = most_of(means) * MILLION // (MILLION + tax_ppm)  # before tax, which then never exceeds the rest
    taken: list[Line] = []
    for line in lines[:MOST_LINES]:
        if line.amount > room:
            part = room * line.offer.mineral.units_per_credit // line.offer.price
            return [*taken, line_of(line.offer, part)] if part else taken
        taken.append(line)
        room -= line.amount
    return taken
