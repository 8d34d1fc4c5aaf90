"""Who takes part: organisations, their people and what each may do."""
