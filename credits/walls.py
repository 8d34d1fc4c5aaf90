"""Whether what guards the tables stands as the migrations build it. Behind `flask ledger check`.

The other promises ask what is in the tables. Whoever owns the database could take a wall down first, a trigger or a
constraint, and wait for somebody else to run into what is missing; or build one of their own. So everything is built
once more beside, and the two are held against each other. Whoever puts a wall up again behind them is found by
what they did meanwhile: by the other promises, and by the log.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from credits.db import engine_settings, prepare_engine, writing
from credits.journal.outside import ALL_THE_SAME
from credits.ledger.invariants import Promise

SAYS = "Tables, constraints, triggers and functions are as the migrations build them, and there are no others."
MOST_PLACES = 10
BESIDE = "walls_beside"  # a schema of PostgreSQL, of which nothing stays
FORBIDDEN = {"42501", "25006"}  # insufficient_privilege, read_only_sql_transaction
NOT_ASKED = "(not asked: the registry's role may build nothing beside it here; GRANT CREATE ON DATABASE lets it)"

Walls = Mapping[str, str]
"""How everything is defined, by what it is called."""

# PostgreSQL leaves these parentheses away once a dump of it was brought back.
NEEDLESS = re.compile(r"(?<!NOT )\((\([^()]*\) (AND|OR) \([^()]*\))\) \2")

# Alembic's own table is as the Alembic of its time has made it.
SQLITE = """SELECT type || ' ' || name, sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'alembic_version'"""

# What belongs to an extension is not of the registry's making.
POSTGRESQL = """
WITH own AS (
    SELECT c.* FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
        AND c.relname NOT LIKE 'alembic_version%'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')),
tables AS (SELECT * FROM own WHERE relkind NOT IN ('i', 'S'))
SELECT 'relation ' || c.relname, concat_ws(' ', c.relkind, c.relpersistence, c.relrowsecurity,
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
    FROM tables c
UNION ALL SELECT 'index ' || c.relname, concat_ws(' ', pg_get_indexdef(c.oid), i.indisvalid)
    FROM pg_index i JOIN own c ON c.oid = i.indexrelid
UNION ALL SELECT 'column ' || c.relname || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
        a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(v.adbin, v.adrelid))
    FROM pg_attribute a JOIN tables c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT 'constraint ' || o.conname || ' of ' || c.relname,
        concat_ws(' ', pg_get_constraintdef(o.oid), o.convalidated,
            (SELECT string_agg(t.tgenabled::text, '' ORDER BY t.tgenabled) FROM pg_trigger t
             WHERE t.tgconstraint = o.oid))
    FROM pg_constraint o JOIN tables c ON c.oid = o.conrelid
UNION ALL SELECT 'trigger ' || t.tgname || ' of ' || c.relname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger t JOIN tables c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL SELECT 'rule ' || r.rulename || ' of ' || c.relname, concat_ws(' ', pg_get_ruledef(r.oid), r.ev_enabled)
    FROM pg_rewrite r JOIN tables c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'
UNION ALL SELECT 'policy ' || p.polname || ' of ' || c.relname, concat_ws(' ', p.polcmd, p.polpermissive,
        pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid))
    FROM pg_policy p JOIN tables c ON c.oid = p.polrelid
UNION ALL SELECT 'function ' || f.oid::regprocedure::text, CASE WHEN f.prokind <> 'a' THEN pg_get_functiondef(f.oid) END
    FROM pg_proc f WHERE f.pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = f.oid AND d.deptype = 'e')
"""
# Anything but "origin" lets triggers and references sleep: for a session, or for a role until somebody looks.
SLEEPING = "SELECT current_setting('session_replication_role') <> 'origin'"
ASLEEP = "session_replication_role: lets triggers and references sleep"


def check(engine: Engine, migrations: Config) -> Promise:
    """Whether the walls stand and are awake, with the first places where they do not.

    migrations: where Alembic finds them. The database may be of an earlier version: it is held against that one.
    """
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision() or "base"
        standing = walls_of(connection)
        asleep = [ASLEEP] if connection.dialect.name == "postgresql" and connection.scalar(text(SLEEPING)) else []
    build = built_in_memory if engine.dialect.name == "sqlite" else built_beside
    try:
        built = build(engine, migrations, revision)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in FORBIDDEN:
            raise
        return Promise("walls", SAYS, [*asleep, NOT_ASKED])
    return Promise("walls", SAYS, [*asleep, *islice(differing(standing, built), MOST_PLACES)])


def built_in_memory(_: Engine, migrations: Config, revision: str) -> Walls:
    """What the migrations build on SQLite."""
    beside = create_engine("sqlite://", **engine_settings("sqlite://"))
    prepare_engine(beside)
    try:
        with beside.connect() as connection:
            build(connection, migrations, revision)
            return walls_of(connection)
    finally:
        beside.dispose()


def built_beside(engine: Engine, migrations: Config, revision: str) -> Walls:
    """What the migrations build on this PostgreSQL, in a transaction that is taken back."""
    with writing(engine, **{ALL_THE_SAME: True}) as connection:
        own = connection.scalar(text("SELECT current_schema()"))
        connection.execute(text(f"CREATE SCHEMA {BESIDE}"))
        connection.execute(text(f"SET LOCAL search_path TO {BESIDE}"))
        build(connection, migrations, revision)
        return {name: definition.replace(BESIDE, own) for name, definition in walls_of(connection).items()}


def build(connection: Connection, migrations: Config, revision: str) -> None:
    migrations.attributes["connection"] = connection
    command.upgrade(migrations, revision)


def walls_of(connection: Connection) -> Walls:
    """Everything that stands in the connection's schema."""
    rows = connection.execute(text(SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL))
    return {name: plain(definition or "") for name, definition in rows}


def plain(definition: str) -> str:
    """The definition without what two ways of writing the same differ in."""
    return NEEDLESS.sub(r"\1 \2", " ".join(definition.replace('"', "").split()))


def differing(standing: Walls, built: Walls) -> Iterator[str]:
    """Where what stands is not what is built, in words."""
    for name in sorted(standing.keys() | built.keys()):
        if name not in standing:
            yield f"{name}: is missing"
        elif name not in built:
            yield f"{name}: was not built by a migration"
        elif standing[name] != built[name]:
            yield f"{name}: is not as the migrations build it"
