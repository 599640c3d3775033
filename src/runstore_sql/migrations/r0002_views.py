# ruff: noqa: S608 - the text is all ours: nothing of a user's reaches it
"""The five views of the second schema: without deleted runs, and with a run's note and when it was archived.

New columns stand behind those of the first schema: PostgreSQL replaces no view otherwise.
"""

from runstore_sql.dialects.first_schema import FirstSchema

_REPLACES = "REPLACE"


def view_statements(words: FirstSchema) -> list[str]:
    """The statements that make the views anew; running them again changes nothing."""
    statements = []
    for name, query in _queries(words).items():
        if _REPLACES not in words.create_view:
            statements.append(f"DROP VIEW IF EXISTS {name}")
        statements.append(f"{words.create_view} {name} AS {query}")
    return statements


def _queries(words: FirstSchema) -> dict[str, str]:
    """The view's queries by name."""

    def time(column: str) -> str:
        return words.time.format(column)

    key = f"{words.quote}key{words.quote}"
    return {
        "experiments": f"""
            SELECT e.id AS id, e.name AS name, e.description AS description, {time("e.created_us")} AS created_at
            FROM runstore_experiment e WHERE e.deleted_us IS NULL""",
        "runs": f"""
            SELECT r.id AS id, e.id AS experiment_id, parent.id AS parent_run_id, r.client_id AS client_id,
                r.name AS name, r.training_mode AS training_mode,
                CASE WHEN r.status = 'in_progress' AND r.expires_us < {words.now_us} THEN 'lost' ELSE r.status END
                    AS status,
                {time("r.start_us")} AS start_time, {time("r.end_us")} AS end_time, r.source_path AS source_path,
                r.attempt AS attempt, {time("r.heartbeat_us")} AS heartbeat_at, r.lease_s AS lease_s,
                r.tags AS tags, r.provenance AS provenance, r.failure AS failure,
                r.note AS note, {time("r.archived_us")} AS archived_at
            FROM runstore_run r
            JOIN runstore_experiment e ON e.pk = r.experiment_pk
            LEFT JOIN runstore_run parent ON parent.pk = r.parent_pk
            WHERE r.deleted_us IS NULL""",
        "run_configurations": f"""
            SELECT r.id AS run_id, l.{key} AS {key}, l.value AS value, l.kind AS value_type
            FROM runstore_config_leaf l JOIN runstore_run r ON r.pk = l.run_pk WHERE r.deleted_us IS NULL""",
        "run_metrics": f"""
            SELECT r.id AS run_id, s.name AS metric_name, p.value AS metric_value, p.step AS step,
                s.dataset_type AS dataset_type, {time("p.logged_at_us")} AS logged_at,
                {words.non_finite} AS non_finite
            FROM runstore_point p
            JOIN runstore_series s ON s.pk = p.series_pk
            JOIN runstore_run r ON r.pk = s.run_pk
            WHERE r.deleted_us IS NULL""",
        "run_artifacts": f"""
            SELECT r.id AS run_id, a.name AS artifact_name, a.uri AS artifact_path, a.artifact_type AS artifact_type,
                a.sha256 AS sha256, a.size AS size, a.is_stored AS is_stored, {time("a.created_us")} AS created_at,
                a.metadata AS metadata
            FROM runstore_artifact a JOIN runstore_run r ON r.pk = a.run_pk WHERE r.deleted_us IS NULL""",
    }
