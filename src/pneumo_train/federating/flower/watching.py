"""Whether the server still wants what a client is doing: one that was killed and begun again has stopped the run of before."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from flwr.proto.node_pb2 import Node
from flwr.proto.run_pb2 import GetRunRequest
from flwr.supercore.error import FlowerError
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
from flwr.supernode.fleet_http_client import FleetHttpClient
from flwr.supernode.node_auth_http_interceptor import NodeAuthHttpInterceptor

from pneumo_train.federating.invitations import Invitation

_LOOK_S = 10.0
_OVER = (2007, 2008)
"""By which a SuperLink says that a run does not run, or that there is none. All else may pass: the server may be gone for a while."""


@contextlib.contextmanager
def watched(invitation: Invitation, run_id: int, node_id: int) -> Iterator[Callable[[], bool]]:
    """Whether a run of the server's is over, looked for as long as the block lasts.

    A SuperNode takes no other message until there is an answer to the one before, and does not look itself.

    Args:
        invitation: of the client.
        run_id: the run.
        node_id: by which the server knows the client.
    """
    is_over, is_done = threading.Event(), threading.Event()
    request = GetRunRequest(node=Node(node_id=node_id), run_id=run_id)

    def look() -> None:
        with _fleet(invitation) as fleet:
            while not is_done.wait(_LOOK_S):
                try:
                    fleet.GetRun(request)
                except Exception as error:  # noqa: BLE001 - mostly it is only not there now
                    response = getattr(error, "response", None)
                    told = None if response is None else FlowerError.from_json(response.text)
                    if told is not None and told.code in _OVER:
                        is_over.set()
                        return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield is_over.is_set
    finally:
        is_done.set()


def _fleet(invitation: Invitation) -> Any:
    key: Any = load_ssh_private_key(invitation.key.read_bytes(), None)
    return FleetHttpClient.from_server_address(
        invitation.address,
        insecure=False,
        root_certificates=invitation.authority.read_bytes(),
        interceptors=[
            RuntimeVersionHttpInterceptor(component_name="SuperNode"),
            NodeAuthHttpInterceptor(key, key.public_key()),
        ],
    )
