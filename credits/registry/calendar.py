"""Days and months as the registry counts them. Pure."""

from calendar import monthrange
from datetime import date, timedelta

from credits.errors import Invalid


class BadPeriod(Invalid):
    """The last day lies before the first, or the days are not ones the registry can use."""

    code = "bad_period"


def months_before(day: date, months: int) -> date:
    """The same day of the month, `months` earlier; the month's last day where it is shorter."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def checked_period(first: date, last: date, what: str) -> None:
    """Raise BadPeriod unless `first` to `last` is a period in a year of four digits after 1999."""
    if last < first:
        raise BadPeriod(f"{what}: the last day lies before the first.", first=str(first), last=str(last))
    if first.year < 2000 or last.year > 2199:
        raise BadPeriod(f"{what}: please check the years.", first=str(first), last=str(last))


def covers(outer: tuple[date, date], inner: tuple[date, date]) -> bool:
    """Whether every day of `inner` lies in `outer`, ends included."""
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def outside(outer: tuple[date, date], inner: tuple[date, date]) -> date | None:
    """The first day of `inner` that does not lie in `outer`, ends included; None where all do."""
    if inner[0] < outer[0] or inner[0] > outer[1]:
        return inner[0]
    return outer[1] + timedelta(days=1) if inner[1] > outer[1] else None
