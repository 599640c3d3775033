"""The server of a federation over a network: a SuperLink of its own, with the clients that are invited and no others."""

import contextlib
import http.client
import json
import logging
import secrets
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from flwr.app import Message, MessageType, RecordDict
from flwr.cli.build import build_fab_from_files
from flwr.common.constant import Status, SubStatus
from flwr.common.serde import fab_to_proto, run_from_proto
from flwr.proto.control_pb2 import (
    ListNodesRequest,
    ListRunsRequest,
    RegisterNodeRequest,
    StartRunRequest,
    StopRunRequest,
    UnregisterNodeRequest,
)
from flwr.proto.runtime_pb2 import PullTaskInputRequest, PushTaskOutputRequest
from flwr.serverapp import Grid
from flwr.supercore.constant import NodeStatus, TaskType
from flwr.supercore.control import ControlHttpClient
from flwr.supercore.fab import Fab
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
from flwr.supercore.task_identity import TaskIdentity
from flwr.superlink.grid import HttpGrid

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import FederationError
from pneumo_train.federating.flower import QUIET
from pneumo_train.federating.flower.engine import FlowerEngine
from pneumo_train.federating.flower.patience import Patient, patiently
from pneumo_train.federating.flower.runtime import at_work, taking
from pneumo_train.federating.invitations import Hosting, public_pem
from pneumo_train.federating.services import Service, is_free, running
from pneumo_train.federating.sites import Share
from pneumo_train.federating.values import Engine, Work, reason_of

_LOOPBACK = "127.0.0.1"
_ELSEWHERE = "127.0.0.2"
"""Another address of this machine: a request from there must be taken for one of another machine."""
_START_S = 300.0
_PENDING_S = 60.0
_ABOUT_S = 120.0
_AGAIN_S = 20.0
"""From one question to a client to the next: what its SuperNode had taken when it went is never answered."""
_GONE_S = 60.0
_POLL_S = 0.5
_FORBIDDEN = 403
_DATABASE = "superlink.db"

_APP = """\
[project]
name = "federation"
version = "1.0.0"
[tool.flwr.app]
publisher = "pneumo-train"
[tool.flwr.app.components]
serverapp = "none:none"
clientapp = "none:none"
"""
"""The program that Flower wants with a run. There is none in it: each side runs what it has installed."""


@contextlib.contextmanager
def hosted(hosting: Hosting, *, at_least: int, wait: float, say: Callable[[str], None]) -> Iterator["Hosted"]:
    """A SuperLink with the clients that have joined, as long as the block lasts.

    Args:
        hosting: keys, certificate and address.
        at_least: how many clients must be there.
        wait: seconds to wait for all that are invited.
        say: tells a person what happens.

    Raises:
        FederationError: the port is another's, the SuperLink does not start or lets in who it should not, the run does not
            begin, or too few clients have come; or, when the block ends, Flower has not completed the run.
    """
    logging.getLogger("flwr").setLevel(logging.CRITICAL)
    if not is_free(hosting.bound_to, hosting.port):
        raise FederationError(
            f"port {hosting.port} is in use, perhaps by another SuperLink; a federation has one of its own, so end what "
            "listens there"
        )
    secret = hosting.folder / "secret"
    secret.touch(mode=0o600)
    secret.write_bytes(secrets.token_bytes(32))
    options = {
        "host": hosting.bound_to,
        "port": hosting.port,
        "ssl-certfile": hosting.certificate,
        "ssl-keyfile": hosting.key,
        "ssl-ca-certfile": hosting.authority,
        "database": hosting.folder / _DATABASE,
        "enable-supernode-auth": True,
        "isolation": "process",
        "superexec-auth-secret-file": secret,
        "disable-runtime-dependency-installation": True,
    }
    with _listening(hosting, options) as (link, control, nodes), link.begun(control, secret.read_bytes()) as grid:
        say(f"{len(nodes)} clients are invited to {hosting.host}:{hosting.port}")
        made = Hosted(grid, nodes, link.service)
        made.gather(at_least=at_least, wait=wait, say=say)
        yield made


@contextlib.contextmanager
def _listening(
    hosting: Hosting, options: Mapping[str, object]
) -> Iterator[tuple["_Link", ControlHttpClient, dict[int, str]]]:
    """A SuperLink that knows exactly the invited clients' keys, what controls it, and the name of each client, by its node."""
    while True:
        with running("superlink", options, home=hosting.folder / "flower", variables=QUIET) as service:
            link = _Link(hosting, service)
            link.require_fence()
            with link.controlled() as control:
                if not link.has_taken_out(control):
                    yield link, control, link.let_in(control)
                    return
        # Flower never lets in a key again that was taken out, and this one is invited again: it begins without a memory.
        for file in hosting.folder.glob(f"{_DATABASE}*"):
            file.unlink()


class Hosted:
    """A federation over a network.

    Attributes:
        shares: what is known of the films of each client; nothing of one that has not joined.
    """

    def __init__(self, grid: HttpGrid, nodes: Mapping[int, str], service: Service) -> None:
        """Has asked nobody yet."""
        self.shares: dict[str, Share] = {}
        self._grid = Patient(grid, service)
        self._nodes = nodes

    def gather(self, *, at_least: int, wait: float, say: Callable[[str], None]) -> None:
        """Waits for the clients, and asks each what its films are."""
        end = time.monotonic() + wait
        engine = self._engine([*self._nodes.values()], FederationConfig(), frozenset())
        wrong: dict[str, str] = {}
        while True:
            for name, reply in engine.abouts(engine.present() - set(self.shares)):
                try:
                    self.shares[name] = told = _share_in(name, reply)
                except FederationError as error:  # that client's own mistake: it counts as missing, and is asked again
                    if wrong.get(name) != (reason := reason_of(str(error))):
                        wrong[name] = reason
                        say(f"{reason}; as long as that is so, {name} counts as missing")
                else:
                    say(f"{name} is here with {told.images:,} images")
            if len(self.shares) == len(self._nodes):
                return
            if time.monotonic() > end:
                break
            time.sleep(_POLL_S)
        missing = sorted(set(self._nodes.values()) - set(self.shares))
        if len(self.shares) < at_least:
            raise FederationError(
                f"{len(self.shares)} of {len(self._nodes)} clients have joined after {wait:g} s, and {at_least} are wanted; "
                f"missing: {', '.join(missing)}; have them join by: pneumo-train join, or wait longer (--wait_for_clients)"
            )
        say(f"begins without {', '.join(missing)}; who joins later takes part from then on")
        self.shares |= {name: Share(parts={}, digest="") for name in missing}

    @contextlib.contextmanager
    def engine_of(
        self,
        work: Work,  # noqa: ARG002 - that is done with the work that each client has
        names: list[str],
        config: FederationConfig,
        trained: frozenset[str],
    ) -> Iterator[Engine]:
        """What carries requests to the clients."""
        yield self._engine(names, config, trained)

    def _engine(self, names: list[str], config: FederationConfig, trained: frozenset[str]) -> "_HostedEngine":
        return _HostedEngine(self._grid, names, config, trained, self._nodes)


def _share_in(name: str, reply: Message) -> Share:
    try:
        about = json.loads(reply.content["config"]["about"])
    except Exception as error:
        raise FederationError(f"{name} says nothing of its films that can be understood ({error!r})") from error
    return Share.told(name, about)


class _HostedEngine(FlowerEngine):
    """Knows each node by the key that it has proved to have, and asks none for its name."""

    poll_s = _POLL_S

    def __init__(
        self,
        grid: Grid,
        names: list[str],
        config: FederationConfig,
        trained: frozenset[str],
        nodes: Mapping[int, str],
    ) -> None:
        super().__init__(grid, names, config, trained)
        self._nodes = {node: name for node, name in nodes.items() if name in self._names}
        self._queries: dict[str, str] = {}
        self._rests: dict[str, float] = {}

    def present(self) -> set[str]:
        """Who is connected."""
        return set(self._present(0).values())

    def abouts(self, names: Collection[str]) -> Iterator[tuple[str, Message]]:
        """What clients say of their films, as far as it is there now. Of these, who was not asked just now is asked."""
        for node, name in self._nodes.items():
            if name in names and self._rests.get(name, 0.0) < time.monotonic():
                message = Message(RecordDict(), dst_node_id=node, message_type=MessageType.QUERY, ttl=_ABOUT_S)
                self._rests[name] = time.monotonic() + _AGAIN_S
                if (number := self._push(message)) is not None:
                    self._queries[number] = name
        for reply in self._grid.pull_messages(list(self._queries)):
            asked = self._queries.pop(reply.metadata.reply_to_message_id, None)
            if asked is not None and not reply.has_error():  # with one it has gone, or has said nothing in time
                self._queries = {number: name for number, name in self._queries.items() if name != asked}
                yield asked, reply

    def _present(self, timeout: float) -> dict[int, str]:  # noqa: ARG002 - as the other's; nobody is asked
        online = set(self._grid.get_node_ids())
        return {node: name for node, name in self._nodes.items() if node in online}


class _Link:
    """A SuperLink that runs.

    Attributes:
        service: its process.
    """

    def __init__(self, hosting: Hosting, service: Service) -> None:
        self.service = service
        self._hosting = hosting
        self._address = f"{_LOOPBACK}:{hosting.port}"

    def require_fence(self) -> None:
        """Waits until it listens, and sees to it that only this machine controls it.

        That it has the certificate of this federation shows that it is the one that was started, and nobody else's.
        """
        self._wait(lambda: self._status("GET", "/health", _LOOPBACK) is not None)
        found = self._status("POST", "/v1/control/list-nodes", _ELSEWHERE)
        if found != _FORBIDDEN:
            raise FederationError(
                f"the SuperLink answers {found} to another machine that would control it, where {_FORBIDDEN} was wanted; this "
                "release of Flower does not fit, install another by: pip install 'pneumo-train[federated]'"
            )

    @contextlib.contextmanager
    def controlled(self) -> Iterator[ControlHttpClient]:
        """It, to be told what to do."""
        client = ControlHttpClient.from_server_address(
            self._address,
            insecure=False,
            root_certificates=self._hosting.authority.read_bytes(),
            interceptors=[RuntimeVersionHttpInterceptor(component_name="flwr CLI")],
        )
        try:
            yield client
        finally:
            client.close()

    def has_taken_out(self, control: ControlHttpClient) -> bool:
        """Whether the key of an invited client was taken out before."""
        out = {node.public_key for node in self._nodes(control) if node.status == NodeStatus.UNREGISTERED}
        return bool(out & {public_pem(path) for path in self._hosting.keys.values()})

    def let_in(self, control: ControlHttpClient) -> dict[int, str]:
        """Has exactly the invited clients' keys known; the name of each client, by its node."""
        wanted = {public_pem(path): name for name, path in self._hosting.keys.items()}
        nodes = [node for node in self._nodes(control) if node.status != NodeStatus.UNREGISTERED]
        known = {node.public_key: node.node_id for node in nodes}
        for key in known.keys() - wanted.keys():
            self._asked(control.UnregisterNode, UnregisterNodeRequest(node_id=known[key]))
        for key in wanted.keys() - known.keys():
            request = RegisterNodeRequest(public_key=key, name=wanted[key])
            known[key] = self._asked(control.RegisterNode, request).node_id
        return {known[key]: name for key, name in wanted.items()}

    def _nodes(self, control: ControlHttpClient) -> Iterable[Any]:
        """All that it has ever known."""
        found: Iterable[Any] = self._asked(control.ListNodes, ListNodesRequest()).nodes_info
        return found

    @contextlib.contextmanager
    def begun(self, control: ControlHttpClient, secret: bytes) -> Iterator[HttpGrid]:
        """A run of Flower's, for as long as the block lasts; those that a killed server has left are stopped before."""
        for run_id, run in self._asked(control.ListRuns, ListRunsRequest()).run_dict.items():
            if run.status.status != Status.FINISHED:
                self._asked(control.StopRun, StopRunRequest(run_id=run_id))
        content, _ = build_fab_from_files({"pyproject.toml": _APP.encode()})
        run_id = self._asked(control.StartRun, StartRunRequest(fab=fab_to_proto(Fab("", content, {})))).run_id
        authority = self._hosting.authority
        found: list[str] = []

        def state() -> Any:
            request = ListRunsRequest(run_id=run_id)
            return patiently(lambda: control.ListRuns(request), self.service).run_dict[run_id].status

        with taking(self._address, authority, secret) as take:

            def is_taken() -> bool:
                found.extend(filter(None, [take(TaskType.SERVER_APP)]))
                return bool(found)

            self._wait(is_taken, seconds=_PENDING_S, what=lambda: f"Flower's run {run_id} is still {state().status}")
        with at_work(self._address, authority, found[0]) as runtime:
            told = runtime.PullTaskInput(PullTaskInputRequest())
            TaskIdentity.task_id = told.task_id
            TaskIdentity.run_id = told.run.run_id
            TaskIdentity.node_id = told.context.node_id
            grid = HttpGrid(self._address, root_certificates=authority.read_bytes(), token=found[0])
            grid.set_run(run_from_proto(told.run))
            grid._retry_invoker.max_time = _GONE_S  # noqa: SLF001 - it would try for ever
            try:
                yield grid
            except BaseException as error:
                with contextlib.suppress(Exception):  # what was wrong before is what is told
                    runtime.PushTaskOutput(
                        PushTaskOutputRequest(sub_status=SubStatus.FAILED, details=type(error).__name__)
                    )
                raise
            finally:
                grid.close()
            completed = PushTaskOutputRequest(sub_status=SubStatus.COMPLETED, details="")
            patiently(lambda: runtime.PushTaskOutput(completed), self.service)
        status = state()
        if (status.status, status.sub_status) != (Status.FINISHED, SubStatus.COMPLETED):
            raise FederationError(
                f"Flower says that its run {run_id} is {status.status} {status.sub_status} ({status.details}), where all "
                "rounds were played; look at the clients' output"
            )

    def _asked(self, call: Callable[[Any], Any], request: Any) -> Any:
        try:
            return call(request)
        except Exception as error:
            end = self.service.end() or self.service.words()
            raise FederationError(
                f"the SuperLink does not do what it is asked ({type(request).__name__}: {error}): {end}"
            ) from error

    def _wait(
        self,
        is_so: Callable[[], bool],
        *,
        seconds: float = _START_S,
        what: Callable[[], str] = lambda: "it does not answer",
    ) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            if (end := self.service.end()) is not None:
                raise FederationError(f"the SuperLink does not start: {end}")
            if time.monotonic() > deadline:
                raise FederationError(f"the SuperLink does not work: {what()} after {seconds:g} s")
            time.sleep(_POLL_S)

    def _status(self, method: str, path: str, source: str) -> int | None:
        """The status that it answers a request with, from one of this machine's addresses; ``None`` if it does not listen."""
        trusted = ssl.create_default_context(cafile=str(self._hosting.authority))
        connection = http.client.HTTPSConnection(
            _LOOPBACK, self._hosting.port, timeout=_GONE_S, source_address=(source, 0), context=trusted
        )
        try:
            connection.request(method, path)
            return connection.getresponse().status
        except ssl.SSLCertVerificationError as error:
            raise FederationError(
                f"who listens at port {self._hosting.port} is not this federation's SuperLink ({error.verify_message})"
            ) from error
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
