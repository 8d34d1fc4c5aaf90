"""How migrations reach the database: through the application's own engine, all of them in one transaction.

Or by a connection that somebody brings along (`credits.walls`), whose own transaction they then are part of.
"""

from contextlib import nullcontext

from alembic import context
from flask import current_app

from credits.db import WRITING, Model
from credits.journal.outside import ALL_THE_SAME

engine = current_app.extensions["migrate"].db.engine

brought = context.config.attributes.get("connection")

with nullcontext(brought) if brought else engine.connect() as connection:
    connection = connection.execution_options(**{ALL_THE_SAME: True})
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Rebuilding a table drops it for a moment; the check below stands in for what is switched off here.
        # Past SQLAlchemy, which would have begun the transaction first, where this has no effect.
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        connection = connection.execution_options(**{WRITING: True})
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        transactional_ddl=True,
        render_as_batch=sqlite,
        compare_type=True,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
            if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                raise RuntimeError(f"The migration leaves references to nothing: {broken[:5]}")
    finally:
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")
