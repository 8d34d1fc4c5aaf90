"""Days that are kept as text, such as those of decisions and of frozen facts, for the pages to write as all others."""

from datetime import date

from credits.web.blueprint import bp


@bp.app_template_filter("isodate")
def isodate(text: str) -> date:
    """The day in 2026-11-22. Raises ValueError."""
    return date.fromisoformat(text[:10])
