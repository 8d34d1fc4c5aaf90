"""The kinds of documents that carry their facts and their proof, by the schema of their facts. Pure."""

BULK_SCHEMA = "asmc-bulk-statement-1"
ISSUANCE_SCHEMA = "asmc-issuance-certificate-1"
ACCOUNT_SCHEMA = "asmc-account-statement-1"

# What each is called in the words of documents, and by its template.
RECORDS = {BULK_SCHEMA: "bulk", ISSUANCE_SCHEMA: "issuance", ACCOUNT_SCHEMA: "account"}


def figures_of(facts: dict[str, object]) -> str:
    """The figures of such a document in brief, as they stand among its keywords. Raises KeyError, TypeError."""
    totals = facts["totals"]
    if not isinstance(totals, list):
        raise TypeError("totals are a list")
    each = [f"{one['mineral']['code']} {one['quantity_base_units']} {one['mineral']['base_unit']}" for one in totals]
    return ", ".join([str(facts["number"]), *each])
