"""What somebody with a direct line to the database might try: names, and the statements of one transaction each.

Names in braces are filled in by tests/ledger/test_models.py: `old` is an issuance of 100 serials (1–60 with `victim`,
61–80 with `thief`, 81–100 retired in `final`), and `fresh` inserts one more of 50 that stands nowhere yet.
"""

EVENT = "INSERT INTO event (id, kind, subject, actor, at, body) VALUES (9001, 'x', 'x', 'x', '{at}', {bytes})"
POSTING = "INSERT INTO posting (event_id, at) VALUES (9001, '{at}')"
POSTED = (EVENT, POSTING)
FRESH = "INSERT INTO issuance (id, first, quantity) VALUES (9001, 1, 50)"
BLOCK = "INSERT INTO block (issuance_id, issued, first, last, account_id, next_first) VALUES "
ENTRY = "INSERT INTO entry (posting_id, issuance_id, first, last, from_account_id, to_account_id) VALUES "
CLAIM = "INSERT INTO request_claim (caller, key, request, answer) VALUES "
NEWEST = "(SELECT max(id) FROM posting)"


def entry(values: str) -> str:
    """An entry (issuance, first, last, from, to) of the newest posting."""
    return f"{ENTRY}({NEWEST}, {values})"


def of(text: str) -> str:
    return f"UPDATE block SET {text} WHERE issuance_id = {{old}}"


EVERYWHERE: dict[str, tuple[str, ...]] = {
    # the present
    "mint-behind-the-end": (BLOCK + "({old}, 100, 101, 110, {thief}, NULL)",),
    "mint-behind-the-end-and-say-so": (
        of("next_first = 101, issued = 110") + " AND first = 81",
        BLOCK + "({old}, 110, 101, 110, {thief}, NULL)",
    ),
    "mint-an-overlap": (BLOCK + "({old}, 100, 50, 60, {thief}, 61)",),
    "mint-unissued": (BLOCK + "(9002, 10, 1, 10, {thief}, NULL)",),
    "take-a-block": (of("account_id = {thief}") + " AND first = 1",),
    "take-what-is-final": (of("account_id = {thief}") + " AND first = 81",),
    "take-everything": ("UPDATE block SET account_id = {thief}",),
    "swap-two-owners": (of("account_id = CASE account_id WHEN {victim} THEN {thief} ELSE {victim} END"),),
    "stretch-a-block": (of("last = 70, next_first = 71") + " AND first = 61",),
    "shrink-a-block": (of("last = 50, next_first = 51") + " AND first = 1",),
    "shift-a-block": (of("first = 2") + " AND first = 1",),
    "change-what-was-issued": (of("issued = 90"),),
    "lose-a-block": ("DELETE FROM block WHERE issuance_id = {old} AND first = 61",),
    "lose-the-head": ("DELETE FROM block WHERE issuance_id = {old} AND first = 1",),
    "lose-the-tail": (
        "DELETE FROM block WHERE issuance_id = {old} AND first = 81",
        of("issued = 80, next_first = NULL") + " AND first = 61",
    ),
    "lose-every-block": ("DELETE FROM block",),
    "hand-a-split-to-a-thief": (
        of("last = 50, next_first = 51") + " AND first = 1",
        BLOCK + "({old}, 100, 51, 60, {thief}, 61)",
    ),
    "merge-into-the-neighbour": (
        "DELETE FROM block WHERE issuance_id = {old} AND first = 1",
        of("first = 1") + " AND first = 61",
    ),
    "block-by-upsert": (
        BLOCK + "({old}, 100, 1, 60, {thief}, 61)"
        " ON CONFLICT (issuance_id, first) DO UPDATE SET account_id = excluded.account_id",
    ),
    # issuing
    "issue-to-nobody": (FRESH,),
    "issue-by-hand": (FRESH, BLOCK + "(9001, 50, 1, 50, {thief}, NULL)"),
    "issue-short": (FRESH, *POSTED, entry("9001, 1, 40, NULL, {thief}")),
    "issue-long": (FRESH, *POSTED, entry("9001, 1, 60, NULL, {thief}")),
    "issue-from-the-middle": (FRESH, *POSTED, entry("9001, 11, 50, NULL, {thief}")),
    "issue-in-two-halves": (
        FRESH,
        *POSTED,
        entry("9001, 1, 25, NULL, {thief}"),
        entry("9001, 26, 50, NULL, {thief}"),
    ),
    "issue-twice-at-once": (FRESH, *POSTED, entry("9001, 1, 50, NULL, {thief}"), entry("9001, 1, 50, NULL, {victim}")),
    "issue-again": (*POSTED, entry("{old}, 1, 100, NULL, {thief}")),
    "issue-nothing": ("INSERT INTO issuance (id, first, quantity) VALUES (9001, 1, 0)",),
    "issue-less-than-nothing": ("INSERT INTO issuance (id, first, quantity) VALUES (9001, 1, -5)",),
    "issue-from-two": ("INSERT INTO issuance (id, first, quantity) VALUES (9001, 2, 5)",),
    "issue-without-an-event": (FRESH, "INSERT INTO posting (event_id, at) VALUES (9002, '{at}')"),
    "shrink-an-issuance": ("UPDATE issuance SET quantity = 50 WHERE id = {old}",),
    "grow-an-issuance": ("UPDATE issuance SET quantity = 500 WHERE id = {old}",),
    "grow-an-issuance-with-its-blocks": (
        "UPDATE issuance SET quantity = 110 WHERE id = {old}",
        of("issued = 110"),
        of("last = 110") + " AND first = 81",
    ),
    "renumber-an-issuance": ("UPDATE issuance SET id = 9001 WHERE id = {old}",),
    "delete-an-issuance": ("DELETE FROM issuance WHERE id = {old}",),
    "delete-an-issuance-whole": (
        "DELETE FROM entry WHERE issuance_id = {old}",
        "DELETE FROM block WHERE issuance_id = {old}",
        "DELETE FROM issuance WHERE id = {old}",
    ),
    "issuance-by-upsert": (
        (
            "INSERT INTO issuance (id, first, quantity) VALUES ({old}, 1, 500)"
            " ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity"
        ),
    ),
    # moving
    "entry-without-a-posting": (ENTRY + "(9999, {old}, 1, 10, {victim}, {thief})",),
    "entry-of-an-old-posting": (ENTRY + "({posting}, {old}, 11, 20, {victim}, {thief})",),
    "entry-out-of-what-is-final": (*POSTED, entry("{old}, 81, 90, {final}, {thief}")),
    "entry-out-of-another-account": (*POSTED, entry("{old}, 1, 10, {thief}, {victim}")),
    "entry-across-two-owners": (*POSTED, entry("{old}, 51, 70, {victim}, {thief}")),
    "entry-behind-the-end": (*POSTED, entry("{old}, 81, 101, {victim}, {thief}")),
    "entry-before-the-start": (*POSTED, entry("{old}, 0, 10, {victim}, {thief}")),
    "entry-backwards": (*POSTED, entry("{old}, 10, 5, {victim}, {thief}")),
    "entry-to-the-same-account": (*POSTED, entry("{old}, 1, 10, {victim}, {victim}")),
    "entry-to-no-account": (*POSTED, entry("{old}, 1, 10, {victim}, NULL")),
    "entry-to-an-unknown-account": (*POSTED, entry("{old}, 1, 10, {victim}, 9999")),
    "entry-of-an-unknown-issuance": (*POSTED, entry("9999, 1, 10, {victim}, {thief}")),
    "entry-twice": (*POSTED, entry("{old}, 1, 10, {victim}, {thief}"), entry("{old}, 1, 10, {victim}, {thief}")),
    "there-and-back-under-one-posting": (
        *POSTED,
        entry("{old}, 11, 60, {victim}, {thief}"),
        entry("{old}, 21, 50, {thief}, {victim}"),
    ),
    "back-with-the-neighbours-under-one-posting": (
        *POSTED,
        entry("{old}, 61, 70, {thief}, {victim}"),
        entry("{old}, 51, 70, {victim}, {thief}"),
    ),
    "move-and-then-take": (
        *POSTED,
        entry("{old}, 1, 10, {victim}, {thief}"),
        of("account_id = {thief}") + " AND first = 11",
    ),
    # history
    "rewrite-an-entry": ("UPDATE entry SET to_account_id = {thief} WHERE issuance_id = {old}",),
    "rewrite-where-it-came-from": ("UPDATE entry SET from_account_id = NULL",),
    "delete-the-last-entry": (f"DELETE FROM entry WHERE posting_id = {NEWEST}",),
    "delete-history": ("DELETE FROM entry",),
    "entry-by-upsert": (
        ENTRY + "({posting}, {old}, 1, 100, NULL, {thief})"
        " ON CONFLICT (posting_id, issuance_id, first) DO UPDATE SET to_account_id = excluded.to_account_id",
    ),
    "move-a-posting-in-time": ("UPDATE posting SET at = '{at}'",),
    "put-a-posting-under-another-event": (EVENT, "UPDATE posting SET event_id = 9001 WHERE id = {posting}"),
    "delete-a-posting": ("DELETE FROM posting WHERE id = {posting}",),
    "posting-without-an-event": ("INSERT INTO posting (event_id, at) VALUES (9002, '{at}')",),
    "two-postings-under-one-event": (EVENT, POSTING, POSTING),
    "rewrite-an-event": ("UPDATE event SET body = {bytes} WHERE id = {event}",),
    "rewrite-who-did-it": ("UPDATE event SET actor = 'USR-000666'",),
    "delete-an-event": ("DELETE FROM event WHERE id = {event}",),
    "event-by-upsert": (
        (
            "INSERT INTO event (id, kind, subject, actor, at, body) VALUES ({event}, 'x', 'x', 'x', '{at}', {bytes})"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body"
        ),
    ),
    "rewrite-a-secret": ("UPDATE event_secret SET value = 'other'",),
    "delete-a-secret": ("DELETE FROM event_secret",),
    "secret-of-no-event": ("INSERT INTO event_secret (event_id, field, salt, value) VALUES (9, 'f', {bytes}, 'v')",),
    "be-another-registry": ("UPDATE registry_identity SET registry_id = 'other'",),
    "forget-the-registry": ("DELETE FROM registry_identity",),
    "second-registry": ("INSERT INTO registry_identity (id, registry_id, salt_key) VALUES (2, 'x', {bytes})",),
    # accounts
    "make-final-available": ("UPDATE account SET kind = 'available' WHERE id = {final}",),
    "make-available-final": ("UPDATE account SET kind = 'retired' WHERE id = {victim}",),
    "exchange-two-accounts": ("UPDATE account SET id = CASE id WHEN {victim} THEN {thief} ELSE {victim} END",),
    "delete-an-account": ("DELETE FROM account WHERE id = {victim}",),
    "account-of-no-kind": ("INSERT INTO account (id, kind) VALUES (9001, 'mine')",),
    "account-by-upsert": (
        "INSERT INTO account (id, kind) VALUES ({final}, 'held') ON CONFLICT (id) DO UPDATE SET kind = 'held'",
    ),
    # claims
    "delete-a-claim": ("DELETE FROM request_claim WHERE key = 'answered'",),
    "delete-an-open-claim": ("DELETE FROM request_claim WHERE key = 'open'",),
    "answer-again": ("UPDATE request_claim SET answer = 'other' WHERE key = 'answered'",),
    "take-an-answer-back": ("UPDATE request_claim SET answer = NULL WHERE key = 'answered'",),
    "claim-for-another-request": ("UPDATE request_claim SET request = 'other', answer = 'x' WHERE key = 'open'",),
    "claim-for-another-caller": ("UPDATE request_claim SET caller = 'ORG-666', answer = 'x' WHERE key = 'open'",),
}

SQLITE: dict[str, tuple[str, ...]] = {
    "replace-a-block": ("REPLACE" + BLOCK.removeprefix("INSERT") + "({old}, 100, 1, 60, {thief}, 61)",),
    "replace-a-block-by-its-end": ("REPLACE" + BLOCK.removeprefix("INSERT") + "({old}, 100, 2, 60, {thief}, 61)",),
    "replace-blocks-by-updating": ("UPDATE OR REPLACE block SET first = 61, last = 80 WHERE issuance_id = {old}",),
    "replace-an-entry": ("REPLACE" + ENTRY.removeprefix("INSERT") + "({posting}, {old}, 1, 100, NULL, {thief})",),
    "replace-entries-by-updating": ("UPDATE OR REPLACE entry SET first = 1",),
    "replace-a-posting": ("INSERT OR REPLACE INTO posting (id, event_id, at) VALUES ({posting}, {event}, '{at}')",),
    "replace-a-posting-by-its-event": (
        "INSERT OR REPLACE INTO posting (event_id, at) SELECT event_id, '{at}' FROM posting WHERE id = {posting}",
    ),
    "replace-an-event": (
        "REPLACE INTO event (id, kind, subject, actor, at, body) VALUES ({event}, 'x', 'x', 'x', '{at}', {bytes})",
    ),
    "replace-a-posting-by-its-row": (
        EVENT,
        "INSERT OR REPLACE INTO posting (id, rowid, event_id, at) VALUES (9001, {posting}, 9001, '{at}')",
    ),
    "replace-an-event-by-its-row": (
        (
            "INSERT OR REPLACE INTO event (rowid, kind, subject, actor, at, body)"
            " VALUES ({event}, 'x', 'x', 'x', '{at}', {bytes})"
        ),
    ),
    "post-before-the-first": (
        EVENT,
        "INSERT INTO posting (id, event_id, at) VALUES (-1, 9001, '{at}')",
        ENTRY + "(-1, {old}, 1, 10, {victim}, {thief})",
    ),
    "replace-a-secret-by-its-row": (
        (
            "INSERT OR REPLACE INTO event_secret (rowid, event_id, field, salt, value)"
            " SELECT rowid, event_id, 'other', salt, 'other' FROM event_secret LIMIT 1"
        ),
    ),
    "replace-an-issuance": ("REPLACE INTO issuance (id, first, quantity) VALUES ({old}, 1, 500)",),
    "replace-an-account": ("REPLACE INTO account (id, kind) VALUES ({final}, 'available')",),
    "replace-the-registry": ("REPLACE INTO registry_identity (id, registry_id, salt_key) VALUES (1, 'x', {bytes})",),
    "replace-a-claim-by-its-row": (
        (
            "INSERT OR REPLACE INTO request_claim (rowid, caller, key, request, answer)"
            " SELECT rowid, 'ORG-1', 'other', 'x', 'x' FROM request_claim WHERE key = 'answered'"
        ),
    ),
    "replace-a-claim-by-updating": (
        (
            "UPDATE OR REPLACE request_claim SET answer = 'x', rowid ="
            " (SELECT rowid FROM request_claim WHERE key = 'answered') WHERE key = 'open'"
        ),
    ),
    # While the newest posting has an entry: the walls around the blocks ask whether it is carried out.
    "move-a-piece-by-hand-after-an-entry": (
        *POSTED,
        entry("{old}, 21, 30, {victim}, {thief}"),
        of("last = 10, next_first = 11") + " AND first = 1",
        BLOCK + "({old}, 100, 11, 30, {thief}, 31)",
    ),
    "take-the-rest-by-hand-after-an-entry": (
        *POSTED,
        entry("{old}, 1, 10, {victim}, {thief}"),
        of("account_id = {thief}") + " AND first = 11",
    ),
    "take-the-rest-by-hand-after-it-was-all-of-a-block": (
        *POSTED,
        entry("{old}, 1, 60, {victim}, {thief}"),
        of("account_id = {thief}"),
    ),
    "take-by-hand-after-there-and-back": (
        *POSTED,
        entry("{old}, 61, 70, {thief}, {victim}"),
        entry("{old}, 1, 60, {victim}, {thief}"),
        of("account_id = {thief}"),
    ),
    "give-by-hand-what-an-entry-took": (
        *POSTED,
        entry("{old}, 11, 20, {victim}, {thief}"),
        of("account_id = {victim}") + " AND first = 11",
    ),
    "join-by-hand-what-an-entry-put-apart": (
        *POSTED,
        entry("{old}, 11, 20, {victim}, {thief}"),
        "DELETE FROM block WHERE issuance_id = {old} AND first = 11",
        of("last = 20, next_first = 21") + " AND first = 1",
    ),
    "lose-by-hand-what-stands-behind-an-entry": (
        *POSTED,
        entry("{old}, 11, 20, {victim}, {thief}"),
        "DELETE FROM block WHERE issuance_id = {old} AND first = 21",
        of("last = 60, next_first = 61") + " AND first = 11",
    ),
    "replace-the-block-of-an-entry": (
        *POSTED,
        entry("{old}, 11, 20, {victim}, {thief}"),
        "REPLACE" + BLOCK.removeprefix("INSERT") + "({old}, 100, 11, 20, {victim}, 21)",
    ),
    "replace-the-block-behind-an-entry": (
        *POSTED,
        entry("{old}, 11, 20, {victim}, {thief}"),
        "REPLACE" + BLOCK.removeprefix("INSERT") + "({old}, 100, 21, 60, {thief}, 61)",
    ),
    "take-what-was-just-issued": (
        FRESH,
        *POSTED,
        entry("9001, 1, 50, NULL, {victim}"),
        "UPDATE block SET account_id = {thief} WHERE issuance_id = 9001",
    ),
    "issue-by-hand-beside-an-entry": (
        FRESH,
        *POSTED,
        entry("{old}, 1, 10, {victim}, {thief}"),
        BLOCK + "(9001, 50, 1, 50, {thief}, NULL)",
    ),
    "entry-or-ignore": (*POSTED, "INSERT OR IGNORE" + entry("{old}, 81, 90, {final}, {thief}").removeprefix("INSERT")),
    "entry-or-fail": (*POSTED, "INSERT OR FAIL" + entry("{old}, 51, 70, {victim}, {thief}").removeprefix("INSERT")),
    "entry-of-text": (*POSTED, entry("{old}, 'one', 'ten', {victim}, {thief}")),
    "entry-of-fractions": (*POSTED, entry("{old}, 1.5, 2.5, {victim}, {thief}")),
}

ANOTHER = (EVENT.replace("9001", "9002"), POSTING.replace("9001", "9002"))
PUT_OFF = "PRAGMA defer_foreign_keys = ON"  # until the commit: by then no block stands in the account any more
SQLITE |= {
    "pass-through-an-unknown-account": (
        PUT_OFF,
        *POSTED,
        entry("{old}, 1, 10, {victim}, 9999"),
        *ANOTHER,
        entry("{old}, 1, 10, 9999, {thief}"),
    ),
    "pass-through-an-account-that-is-final-later": (
        PUT_OFF,
        *POSTED,
        entry("{old}, 1, 10, {victim}, 9999"),
        *ANOTHER,
        entry("{old}, 1, 10, 9999, {thief}"),
        "INSERT INTO account (id, kind) VALUES (9999, 'retired')",
    ),
}

POSTGRESQL: dict[str, tuple[str, ...]] = {
    **{
        f"truncate-{table}": (f"TRUNCATE {table} CASCADE",)
        for table in (
            "block",
            "entry",
            "posting",
            "event",
            "event_secret",
            "issuance",
            "account",
            "request_claim",
            "registry_identity",
        )
    },
    "entry-of-the-newest-old-posting": (f"{ENTRY}({NEWEST}, {{old}}, 1, 10, {{victim}}, {{thief}})",),
    "posting-numbered-by-hand": (
        EVENT,
        "INSERT INTO posting (id, event_id, at) VALUES (-1, 9001, '{at}')",
        ENTRY + "(-1, {old}, 1, 10, {victim}, {thief})",
    ),
    "merge-into-blocks": (
        (
            "MERGE INTO block b USING (SELECT {old} AS id) s ON b.issuance_id = s.id"
            " WHEN MATCHED THEN UPDATE SET account_id = {thief}"
        ),
    ),
    "take-with-constraints-deferred": ("SET CONSTRAINTS ALL DEFERRED", of("account_id = {thief}")),
    "lose-a-block-with-constraints-deferred": (
        "SET CONSTRAINTS ALL DEFERRED",
        "DELETE FROM block WHERE issuance_id = {old} AND first = 61",
    ),
    "issue-to-nobody-with-constraints-deferred": ("SET CONSTRAINTS ALL DEFERRED", FRESH),
    "slip-temporary-tables-under-the-trigger": (
        "CREATE TEMPORARY TABLE account AS SELECT id, 'available' AS kind FROM public.account",
        *POSTED,
        entry("{old}, 81, 90, {final}, {thief}"),
    ),
    "take-by-a-copy": (
        "CREATE TEMPORARY TABLE stolen AS SELECT * FROM block",
        "DELETE FROM block",
        "INSERT INTO block SELECT issuance_id, issued, first, last, {thief}, next_first FROM stolen",
    ),
}
