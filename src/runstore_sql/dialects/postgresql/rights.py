"""What a user must be allowed to write runs to PostgreSQL."""

from typing import Final

MAY_WRITE: Final = """
    SELECT bool_and(has_table_privilege(name, 'INSERT')
        AND (has_table_privilege(name, 'UPDATE') OR name NOT IN ('runstore_run', 'runstore_series', 'runstore_point',
            'runstore_rollup', 'runstore_waiting'))
        AND (has_table_privilege(name, 'DELETE') OR name NOT IN ('runstore_config_leaf', 'runstore_artifact'))
        AND coalesce(has_sequence_privilege(pg_get_serial_sequence(name, pk), 'USAGE'), true))
    FROM (VALUES ('runstore_experiment', 'pk'), ('runstore_run', 'pk'), ('runstore_series', 'pk'), ('runstore_tag', NULL),
        ('runstore_config', NULL), ('runstore_config_leaf', NULL), ('runstore_point', NULL), ('runstore_artifact', NULL),
        ('runstore_rollup', NULL), ('runstore_waiting', NULL)
    ) AS places (name, pk)"""
AT_OPENING: Final = f"SELECT pg_is_in_recovery(), ({MAY_WRITE})"
"""Whether the server only follows another one, whatever its roles may do; and whether the user may write."""
