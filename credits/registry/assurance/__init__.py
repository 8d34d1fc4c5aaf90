"""Standards, assessments against them, findings, and groups."""
