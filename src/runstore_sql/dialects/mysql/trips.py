"""Several statements a round trip to MySQL and MariaDB: what a call waits for is mostly the way there and back.

Needs connections that take several statements in one text. Every text of a user's goes through the driver's escaping,
here as anywhere.

A node of a Galera cluster gets each statement in a text of its own, or several in one block. Where another node's change undoes
a transaction between two statements of one text, MariaDB tells nobody: what comes after it is committed by itself, what
came before is gone, and COMMIT has nothing to say against it. After a text's last statement, and in a block, it is an
error, and the call is tried again.
"""

from typing import Any

from runstore_sql.dialects.mysql.packets import room_in


class Trips:
    """Stands in for the driver's cursor: statements wait until an answer is asked for.

    Attributes:
        room: how many bytes one statement may have.
        counts: how many rows each statement that was sent last found or wrote.
        is_alone: whether this transaction has the row of its run for itself.
    """

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.room = room_in(cursor.connection)
        self._waiting: list[str] = []
        self._size = 0
        self._answers: list[Any] = []
        self.counts: list[int] = []
        self.is_alone = False
        self._is_block = False
        self._is_node = cursor.connection.runstore_facts.is_node

    def answer_once(self) -> None:
        """From now on a trip has one answer, the sum of its counts, where the server can: a block of MariaDB's.

        Each answer wakes this process, which takes as long as a small statement. No statement may give rows.
        """
        self._is_block = "MariaDB" in self._cursor.connection.get_server_info()

    def execute(self, statement: str, parameters: Any = None) -> None:
        """Takes a statement along on the next trip. Its error, if any, comes with that."""
        text = self._cursor.mogrify(statement, parameters)
        size = len(text) if text.isascii() else len(text.encode())
        if self._waiting and self._size + size > self.room:
            self._send()
        self._waiting.append(text)
        self._size += size + 1

    def fetchall(self) -> Any:
        """The rows of the last statement."""
        return self.last(1)[0]

    def last(self, count: int) -> list[Any]:
        """The rows of each of the last statements, though they may have gone on two trips."""
        self._send()
        return self._answers[-count:]

    def finish(self, statement: str) -> None:
        """Sends what waits, none of which gives rows, with a last statement."""
        if self._is_node and self._waiting:
            self.answer_once()
        self.execute(statement)
        self._send()

    def forget(self) -> None:
        """Drops what waits."""
        self._waiting, self._size = [], 0

    def _send(self) -> None:
        if not self._waiting:
            return
        texts = self._waiting if self._is_node else [";".join(self._waiting)]
        if self._is_block:
            texts = [f"BEGIN NOT ATOMIC {';'.join(self._waiting)}; END"]
        self.forget()
        self.counts = []
        for text in texts:
            self._cursor.execute(text)
            is_more: Any = True
            while is_more:
                self._answers.append(self._cursor.fetchall())
                self.counts.append(self._cursor.rowcount)
                is_more = self._cursor.nextset()
