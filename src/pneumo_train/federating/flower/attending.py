"""A client of a federation over a network: a SuperNode that carries messages, and this process, which does what they ask."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flwr.app import ConfigRecord, Error, Message, MessageType, RecordDict
from flwr.common.constant import ErrorCode, SubStatus
from flwr.supercore.constant import TaskType
from flwr.supernode.runtime.run_clientapp import pull_task_input, push_message, push_task_output

from pneumo_train.errors import FederationError
from pneumo_train.federating.flower import QUIET
from pneumo_train.federating.flower.engine import answer_to
from pneumo_train.federating.flower.runtime import at_work, taking
from pneumo_train.federating.flower.watching import watched
from pneumo_train.federating.invitations import Invitation
from pneumo_train.federating.services import Service, free_port, running
from pneumo_train.federating.values import Answer, Request
from pneumo_train.words import shown

StoppableWork = Callable[[Request, Callable[[], bool]], Answer]
"""What a client does; it stops when the second says that nobody wants the answer any more."""

_POLL_S = 0.5
_LOOPBACK = "127.0.0.1"
_CONNECTED = "SuperNode ID:"
"""What a SuperNode says when the server has let it in."""
_REFUSED = ("code: 2004", "CERTIFICATE_VERIFY_FAILED")
"""What it says when its key is not known, or the server's certificate is not the federation's."""
_LONGEST_REASON = 300
_TRIES = 12
_PAUSE_S = 10.0
"""A refusal may pass, within two minutes. A server that has just begun knows nobody until it has let its clients in; and
Flower's takes a SuperNode that has gone without a word for present for a minute, and lets no other in with its key.
"""


def attend(
    invitation: Invitation,
    folder: Path,
    work: StoppableWork,
    about: Mapping[str, Any],
    say: Callable[[str], None],
) -> None:
    """Does what the server asks, one thing after another, until this process is ended.

    A SuperNode that goes, as Flower's does when a handshake takes too long, is followed by another.

    Args:
        invitation: the client's.
        folder: of its own.
        work: what is done; it is stopped when the server has given it up.
        about: what the server may know of the films.
        say: tells a person what happens.

    Raises:
        FederationError: the server does not know the client's key, or SuperNodes end and none has joined.
    """
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_bytes(secrets.token_bytes(32))
    has_joined = threading.Event()
    refused: list[str] = []

    def heard(line: str) -> None:
        if any(words in line for words in _REFUSED):  # before its end it may say much else
            refused.append(shown(line, at_most=_LONGEST_REASON))
        if _CONNECTED in line:
            refused.clear()
            has_joined.set()
            say(f"{invitation.client} has joined the federation at {invitation.address}")

    say(f"{invitation.client} looks for the federation at {invitation.address}")
    failures = 0
    while True:
        has_joined.clear()
        refused.clear()
        port = free_port()
        options = {
            "superlink": invitation.address,
            "root-certificates": invitation.authority,
            "auth-supernode-private-key": invitation.key,
            "isolation": "process",
            "superexec-auth-secret-file": secret,
            "host": _LOOPBACK,
            "port": port,
        }
        with running("supernode", options, home=folder / "flower", variables=QUIET, heard=heard) as node:
            end = _Attending(node, invitation, f"{_LOOPBACK}:{port}", secret.read_bytes(), work, about, say).attend()
        failures = 0 if has_joined.is_set() else failures + 1
        why = refused[-1] if refused else end
        if failures == _TRIES:
            raise FederationError(
                f"{invitation.client} takes no part in the federation at {invitation.address}: {why}; look whether that is the "
                "server's address, and ask there whether this client's key (key.pub) is among those that are invited"
            )
        say(f"the SuperNode has gone: {why}; another begins in {_PAUSE_S:g} s")
        time.sleep(_PAUSE_S)


class _Attending:
    def __init__(  # noqa: PLR0913, PLR0917 - all that it works with
        self,
        node: Service,
        invitation: Invitation,
        address: str,
        secret: bytes,
        work: StoppableWork,
        about: Mapping[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self._node = node
        self._invitation = invitation
        self._address = address
        self._secret = secret
        self._work = work
        self._about = about
        self._say = say

    def attend(self) -> str:
        """Works until the SuperNode has ended: how it has."""
        with taking(self._address, None, self._secret) as take:
            while (end := self._node.end()) is None:
                try:
                    token = take(TaskType.CLIENT_APP)
                except Exception:  # noqa: BLE001 - it does not listen yet, or is about to end
                    token = None
                if token is None:
                    time.sleep(_POLL_S)
                    continue
                try:
                    self._do(token)
                except Exception as error:  # noqa: BLE001 - the server waits no longer, or is gone: it will ask again
                    self._say(f"an answer could not be given: {error}")
        return end

    def _do(self, token: str) -> None:
        with at_work(self._address, None, token) as runtime:
            message, context, _, _ = pull_task_input(runtime)  # its program is left alone
            try:
                reply, end = self._answer(message)
            except Exception as error:  # noqa: BLE001 - the SuperNode waits for an answer, whatever it is
                reply, end = (
                    Message(Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, repr(error)), reply_to=message),
                    repr(error),
                )
            push_message(runtime, reply, context)
            push_task_output(client=runtime, context=context, sub_status=SubStatus.COMPLETED, details="")
        self._say(end)

    def _answer(self, message: Message) -> tuple[Message, str]:
        """An answer, and what a person is told of it."""
        client = self._invitation.client
        if message.metadata.message_type == MessageType.QUERY:
            told = {"client": client, "about": json.dumps(self._about)}
            return Message(RecordDict({"config": ConfigRecord(told)}), reply_to=message), "a federation begins"
        told = message.content["config"]
        begun = time.monotonic()
        # By the server's clock it may have begun at any time: the seconds that it has are counted from here.
        with watched(self._invitation, message.metadata.run_id, message.metadata.dst_node_id) as is_over:
            reply = answer_to(message, client, lambda request: self._work(request, is_over), message.metadata.ttl)
        failed = reply.content["config"].get("failed")
        end = f"failed: {failed}" if failed else "done"
        return reply, f"round {told['round']}, {told['task']}: {end}, after {time.monotonic() - begun:.1f} s"
