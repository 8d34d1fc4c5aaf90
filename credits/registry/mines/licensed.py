"""Whether a licence covers the days of a batch, and if none does, which day is left out and what to do. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta

from credits.participants.wording import day_shown
from credits.registry.calendar import covers
from credits.registry.production import Licence

DAY = timedelta(days=1)
CORRECT = "If a day was typed wrong, correct it."


def uncovered(licences: Sequence[Licence], first: date, last: date) -> str | None:
    """Why no licence covers `first` to `last`, and what to do, as a sentence; None where one does."""
    if any(covers((licence.valid_from, licence.valid_to), (first, last)) for licence in licences):
        return None
    if not licences:
        return "The site has no licence yet: enter the one that covers the whole production period."
    nearest = min(licences, key=lambda licence: days_left_out(licence, first, last))
    begins, ends = day_shown(nearest.valid_from), day_shown(nearest.valid_to)
    if nearest.valid_to < first or nearest.valid_from > last:
        return (
            "No licence of the site is valid on any day of the production period, "
            f"{day_shown(first)} to {day_shown(last)}: {nearest.number} is valid from {begins} to {ends}. "
            "Enter the one that covers it."
        )
    if nearest.valid_from > first:
        return (
            f"Licence {nearest.number} begins on {begins}, {days(nearest.valid_from - first)} after the first "
            f"production day, {day_shown(first)}. Enter the licence that covers the days before, or let the batch "
            f"begin on {begins}. {CORRECT}"
        )
    follows = next((other for other in licences if other.valid_from <= nearest.valid_to + DAY <= other.valid_to), None)
    if follows is not None:
        return (
            f"Licence {nearest.number} ends on {ends}, and licence {follows.number} takes over. A batch lies under one "
            f"licence: end this one on {ends}, and enter the days after it as another batch."
        )
    return (
        f"Licence {nearest.number} ends on {ends}, {days(last - nearest.valid_to)} before the last production day, "
        f"{day_shown(last)}. Enter its renewal, or let the batch end on {ends}. {CORRECT}"
    )


def days_left_out(licence: Licence, first: date, last: date) -> int:
    """How many days of the period a licence does not cover; where it covers none, more the further away it lies."""
    overlap = (min(last, licence.valid_to) - max(first, licence.valid_from)).days + 1
    return (last - first).days + 1 - overlap


def days(span: timedelta) -> str:
    return "one day" if span == DAY else f"{span.days:,} days"
