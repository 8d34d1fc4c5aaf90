"""Days and moments kept as text, such as those of decisions and frozen facts, for the pages to write as all others."""

from datetime import date, datetime

from credits.web.blueprint import bp


@bp.app_template_filter("isodate")
def isodate(text: str) -> date:
    """The day in 2026-11-22. Raises ValueError."""
    return date.fromisoformat(text[:10])


@bp.app_template_filter("isomoment")
def isomoment(text: str) -> datetime:
    """The moment in 2026-11-22T08:30:00Z. Raises ValueError."""
    return datetime.fromisoformat(text)
