"""MySQL and MariaDB, by PyMySQL."""

from typing import Final

from runstore_sql.dialects.kinds import Kind

KIND: Final = Kind(name="mysql", schemes=("mysql", "mariadb"), modules=("pymysql",), install="runstore[mysql]")
