"""What a user must be allowed to write runs to MySQL and MariaDB."""

from typing import Final

# The server tells no rights, but refuses a statement before it looks for rows.
WRITE_NOTHING: Final = (
    "UPDATE runstore_run SET status = status WHERE pk < 0",
    "DELETE FROM runstore_config_leaf WHERE run_pk < 0",
    "INSERT INTO runstore_tag SELECT * FROM runstore_tag WHERE run_pk < 0",
)
