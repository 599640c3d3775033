"""The first schema as MySQL and MariaDB have it. Frozen: what changes is another migration's."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from runstore_sql.dialects.first_schema import FirstSchema


def _text_options(dialect: sa.Dialect) -> tuple[None, dict[str, Any]]:
    collation = "utf8mb4_nopad_bin" if getattr(dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
    # Keys of 255 characters fit into the default row format, and not into those of older servers.
    storage = {"mysql_engine": "InnoDB", "mysql_row_format": "DYNAMIC"}
    return None, {**storage, "mysql_charset": "utf8mb4", "mysql_collate": collation}


FIRST_SCHEMA: Final = FirstSchema(
    point_table="""CREATE TABLE IF NOT EXISTS runstore_point (
        series_pk BIGINT NOT NULL, step BIGINT NOT NULL, value DOUBLE, special SMALLINT NOT NULL DEFAULT 0,
        logged_at_us BIGINT NOT NULL, PRIMARY KEY (series_pk, step))
        ENGINE=InnoDB ROW_FORMAT=DYNAMIC""",
    create_view="CREATE OR REPLACE VIEW",
    quote="`",
    time="TIMESTAMPADD(MICROSECOND, {0}, TIMESTAMP'1970-01-01 00:00:00')",
    now_us="TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
    non_finite="CASE p.special WHEN 2 THEN 'nan' WHEN 1 THEN 'inf' WHEN -1 THEN '-inf' END",
    text=mysql.LONGTEXT(),
    data=mysql.MEDIUMBLOB(),
    text_options=_text_options,
)
