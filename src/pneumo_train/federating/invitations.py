"""Who may take part in a federation over a network: a folder of keys and certificates, and in it one for each client.

The server's part stays with the server. A client's folder is handed to it, and to nobody else.
"""

import contextlib
import dataclasses
import datetime as dt
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pneumo_train.errors import ConfigError
from pneumo_train.words import shown

DEFAULT_PORT = 9092

_VALID_FOR = dt.timedelta(days=730)
_SERVER = "server"
_CLIENTS = "clients"
_FACTS = "federation.json"
_INVITATION = "invitation.json"
_PUBLIC = "key.pub"
_LAST_PORT = 65_535
_HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
_DIGITS = re.compile(r"[0-9.]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LOOPBACK = "127.0.0.1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """What the server of a federation needs.

    Attributes:
        folder: of its own: the database of the SuperLink and Flower's files come to lie here.
        host: by which clients reach it.
        port: the one port that it opens.
        keys: the public key of each client, by its name.
    """

    folder: Path
    host: str
    port: int
    keys: dict[str, Path]

    @property
    def bound_to(self) -> str:
        """The address to listen on: this machine alone if that is what the clients were told, else all of its addresses."""
        return _LOOPBACK if self.host in {"localhost", _LOOPBACK} else "0.0.0.0"  # noqa: S104 - clients come from elsewhere

    @property
    def certificate(self) -> Path:
        """Of the server."""
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        """Of the server's certificate."""
        return self.folder / "key.pem"

    @property
    def authority(self) -> Path:
        """What has signed the certificate; clients have the same file."""
        return self.folder / "authority.pem"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a client needs to join.

    Attributes:
        client: its name.
        address: of the server, as ``host:port``.
        authority: what has signed the server's certificate.
        key: the client's private key.
    """

    client: str
    address: str
    authority: Path
    key: Path


def invite(folder: Path, host: str | None, port: int | None, clients: Iterable[str]) -> list[str]:
    """Makes the keys of a federation, or those of further clients of one that is there. Nothing that is there is changed.

    A client's folder that a call before was stopped in is made anew.

    Args:
        folder: made if need be.
        host: the name or the address by which clients reach the server; wanted the first time.
        port: of the server, by default 9092; the first time.
        clients: names of those who are invited.

    Returns:
        The names of those who had not been invited yet.

    Raises:
        ConfigError: there is no host, it is none, host or port is another than the one that is there, or a name cannot be that of
            a folder.
    """
    names = list(dict.fromkeys(clients))
    for name in names:
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"clients = {shown(name)!r}: a client's name is up to 63 letters, digits, dots, dashes and underscores, and "
                "begins with a letter or a digit"
            )
    known = _facts(folder)
    if known is None:
        if not host:
            raise ConfigError(
                f"folder = {folder}: no federation is there, and host names no address for a new one; give the one by which "
                "clients reach this machine (--host federation.example.org)"
            )
        _require_host(host)
        known = (host, DEFAULT_PORT if port is None else port)
        if not 1 <= known[1] <= _LAST_PORT:
            raise ConfigError(f"port = {port}: wanted a whole number from 1 to {_LAST_PORT:,}")
        _make_server(folder / _SERVER, host)
        _write(folder / _FACTS, json.dumps({"host": known[0], "port": known[1]}))
    elif host not in {None, known[0]}:
        raise ConfigError(
            f"host = {host!r}: the federation in {folder} is at {known[0]!r}, and its certificate says so; name another "
            "folder for another host"
        )
    elif port not in {None, known[1]}:
        raise ConfigError(
            f"port = {port}: the federation in {folder} is at port {known[1]}, and its clients were told so; name another folder "
            "for another port"
        )
    new = [name for name in names if not (folder / _CLIENTS / name / _PUBLIC).exists()]  # which is written last
    for name in new:
        _make_client(folder, name, f"{known[0]}:{known[1]}")
    return new


def hosting_of(folder: Path) -> Hosting:
    """What was made in a folder, for the server.

    Raises:
        ConfigError: it is no folder of a federation, nobody is invited, or two have one key.
    """
    known = _facts(folder)
    if known is None:
        raise ConfigError(
            f"invited = {folder}: found no {_FACTS} there; name the folder that was made by: pneumo-train invite"
        )
    keys = {path.parent.name: path for path in sorted((folder / _CLIENTS).glob(f"*/{_PUBLIC}"))}
    if len(keys) < 2:  # noqa: PLR2004 - one client is no federation
        raise ConfigError(
            f"invited = {folder}: {len(keys)} clients are invited, and a federation has two or more; invite more by: "
            f"pneumo-train invite --folder {folder} --clients NAME"
        )
    _require_keys_of_their_own(folder, keys)
    return Hosting(folder=(folder / _SERVER).resolve(), host=known[0], port=known[1], keys=keys)


def invitation_in(folder: Path) -> Invitation:
    """What a client was given.

    Raises:
        ConfigError: it is no folder of a client.
    """
    try:
        told = json.loads((folder / _INVITATION).read_text(encoding="utf-8"))
        return Invitation(
            client=told["client"],
            address=told["address"],
            authority=(folder / "authority.pem").resolve(strict=True),
            key=(folder / "key").resolve(strict=True),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"folder = {folder}: is no invitation to a federation ({error}); name the folder of this client, which whoever "
            "runs the server has made by: pneumo-train invite"
        ) from error


def public_pem(path: Path) -> bytes:
    """A client's public key as the SuperLink knows it.

    Raises:
        ConfigError: the file holds none, or another kind of key.
    """
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the extra brings it
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        PublicFormat,
        load_ssh_public_key,
    )

    try:
        key = load_ssh_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: is no public key of OpenSSH ({error}); make one by: ssh-keygen -t ecdsa -b 384"
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ConfigError(f"{path}: is another kind of key; make one by: ssh-keygen -t ecdsa -b 384")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _require_host(host: str) -> None:
    """Refuses what is neither a name nor an IPv4 address.

    Raises:
        ConfigError: says what it is.
    """
    if _HOST.fullmatch(host) and not _DIGITS.fullmatch(host):
        return
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if isinstance(address, ipaddress.IPv4Address):
        return
    advice = "give a name, as federation.example.org, or an IPv4 address"
    if address is not None:
        advice = "the SuperLink listens at IPv4 addresses only; give such a one, or a name that has one"
    elif not host.isascii():
        with contextlib.suppress(UnicodeError):
            advice = f"give it as it is in the network: {host.encode('idna').decode()}"
    raise ConfigError(f"host = {shown(host)!r}: is no address by which clients can reach the server; {advice}")


def _require_keys_of_their_own(folder: Path, keys: Mapping[str, Path]) -> None:
    """Refuses two clients with one key, as a folder that was copied has it: the SuperLink knows one of them.

    Raises:
        ConfigError: names both.
    """
    owners: dict[bytes, str] = {}
    for name, path in keys.items():
        words = path.read_bytes().split()[1:2]  # between the kind and the comment
        if words and (other := owners.setdefault(words[0], name)) != name:
            raise ConfigError(
                f"invited = {folder}: {other} and {name} have one key ({_PUBLIC}), and by it a client is known; remove the folder of "
                f"one, and give it a key of its own by: pneumo-train invite --folder {folder} --clients {name}"
            )


def _facts(folder: Path) -> tuple[str, int] | None:
    """Host and port of a federation, if there is one."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        return str(facts["host"]), int(facts["port"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder / _FACTS}: cannot be read ({error}); name another folder") from error


def _make_client(folder: Path, name: str, address: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the extra brings it
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key, mine = ec.generate_private_key(ec.SECP384R1()), folder / _CLIENTS / name
    _write(mine / "authority.pem", (folder / _SERVER / "authority.pem").read_text(encoding="ascii"))
    _write(mine / "key", key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(), secret=True)
    _write(mine / _INVITATION, json.dumps({"client": name, "address": address}))
    _write(mine / _PUBLIC, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def _make_server(folder: Path, host: str) -> None:
    """An authority of the federation's own, and the server's certificate. The authority's key is kept nowhere."""
    from cryptography import x509  # noqa: PLC0415 - the extra brings it
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        Encoding,
        NoEncryption,
        PrivateFormat,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415 - as above

    now = dt.datetime.now(dt.UTC)
    signer, key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federation")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(signer.public_key())

    def begun(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(authority)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))  # clocks differ
            .not_valid_after(now + _VALID_FOR)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        )

    def usage(*, signs: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=not signs,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=signs,
            crl_sign=signs,
            encipher_only=False,
            decipher_only=False,
        )

    top = (
        begun(authority, signer.public_key())
        .add_extension(identifier, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs=True), critical=True)
        .sign(signer, hashes.SHA384())
    )
    here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(_LOOPBACK))]
    certificate = (
        begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])]), key.public_key())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(dict.fromkeys([_name_of(host), *here]))), critical=False)
        .sign(signer, hashes.SHA384())
    )
    _write(
        folder / "key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), secret=True
    )
    _write(folder / "certificate.pem", certificate.public_bytes(Encoding.PEM).decode())
    _write(folder / "authority.pem", top.public_bytes(Encoding.PEM).decode())


def _name_of(host: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - cryptography's, which is not installed everywhere
    from cryptography import x509  # noqa: PLC0415 - the extra brings it

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, text: str, *, secret: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600 if secret else 0o644)
    path.write_text(text, encoding="utf-8")
