# ruff: noqa: S608 - the text is all ours: nothing of a user's reaches it
"""The five views of the first schema: names and columns that people and other programs may rely on.

Times are rendered in UTC, exact to the microsecond: ``timestamptz`` on PostgreSQL, ``datetime(6)`` on MySQL, and text
``YYYY-MM-DD HH:MM:SS.ffffff`` on SQLite.
"""

_TIME = {
    "sqlite": (
        "strftime('%Y-%m-%d %H:%M:%S', ({0} - (({0} % 1000000) + 1000000) % 1000000) / 1000000, 'unixepoch')"
        " || printf('.%06d', (({0} % 1000000) + 1000000) % 1000000)"
    ),
    # Seconds and the rest by themselves: an interval is multiplied in float64, which holds the microseconds of 285 years.
    "postgresql": "(timestamptz 'epoch' + {0} / 1000000 * interval '1 second'"
    " + mod({0}, 1000000) * interval '1 microsecond')",
    "mysql": "TIMESTAMPADD(MICROSECOND, {0}, TIMESTAMP'1970-01-01 00:00:00')",
}
_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
}
_NON_FINITE = {
    "sqlite": "CASE WHEN p.value IS NULL THEN 'nan' WHEN p.value > 1.7976931348623157e308 THEN 'inf'"
    " WHEN p.value < -1.7976931348623157e308 THEN '-inf' END",
    "postgresql": "CASE p.value WHEN 'NaN' THEN 'nan' WHEN 'Infinity' THEN 'inf' WHEN '-Infinity' THEN '-inf' END",
    "mysql": "CASE p.special WHEN 2 THEN 'nan' WHEN 1 THEN 'inf' WHEN -1 THEN '-inf' END",
}


def view_statements(dialect: str) -> list[str]:
    """The statements that make the views; running them again changes nothing."""
    create = "CREATE VIEW IF NOT EXISTS" if dialect == "sqlite" else "CREATE OR REPLACE VIEW"
    return [f"{create} {name} AS {query}" for name, query in _queries(dialect).items()]


def _queries(dialect: str) -> dict[str, str]:
    """The view's queries by name; nothing of a user's goes into their text."""

    def time(column: str) -> str:
        return _TIME[dialect].format(column)

    # "key" and "count" are words of MySQL's own.
    key = "`key`" if dialect == "mysql" else '"key"'
    return {
        "experiments": f"""
            SELECT e.id AS id, e.name AS name, e.description AS description, {time("e.created_us")} AS created_at
            FROM runstore_experiment e""",
        "runs": f"""
            SELECT r.id AS id, e.id AS experiment_id, parent.id AS parent_run_id, r.client_id AS client_id,
                r.name AS name, r.training_mode AS training_mode,
                CASE WHEN r.status = 'in_progress' AND r.expires_us < {_NOW[dialect]} THEN 'lost' ELSE r.status END
                    AS status,
                {time("r.start_us")} AS start_time, {time("r.end_us")} AS end_time, r.source_path AS source_path,
                r.attempt AS attempt, {time("r.heartbeat_us")} AS heartbeat_at, r.lease_s AS lease_s,
                r.tags AS tags, r.provenance AS provenance, r.failure AS failure
            FROM runstore_run r
            JOIN runstore_experiment e ON e.pk = r.experiment_pk
            LEFT JOIN runstore_run parent ON parent.pk = r.parent_pk""",
        "run_configurations": f"""
            SELECT r.id AS run_id, l.{key} AS {key}, l.value AS value, l.kind AS value_type
            FROM runstore_config_leaf l JOIN runstore_run r ON r.pk = l.run_pk""",
        "run_metrics": f"""
            SELECT r.id AS run_id, s.name AS metric_name, p.value AS metric_value, p.step AS step,
                s.dataset_type AS dataset_type, {time("p.logged_at_us")} AS logged_at,
                {_NON_FINITE[dialect]} AS non_finite
            FROM runstore_point p
            JOIN runstore_series s ON s.pk = p.series_pk
            JOIN runstore_run r ON r.pk = s.run_pk""",
        "run_artifacts": f"""
            SELECT r.id AS run_id, a.name AS artifact_name, a.uri AS artifact_path, a.artifact_type AS artifact_type,
                a.sha256 AS sha256, a.size AS size, a.is_stored AS is_stored, {time("a.created_us")} AS created_at,
                a.metadata AS metadata
            FROM runstore_artifact a JOIN runstore_run r ON r.pk = a.run_pk""",
    }
