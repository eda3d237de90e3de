"""All settings of a server: what each means, what it is when nobody says anything, what it may be."""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from penstock.engine.unit import LEASE
from penstock.model.errors import InvalidError
from penstock.model.slug import shorten_host
from penstock.plan.resources import parse_prices

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["logfmt", "json"]
ExecutorChoice = Literal["auto", "host", "docker"]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Some = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]


def _say(what: str, *, secret: bool = False) -> Meta:
    return Meta(description=what, extra={"secret": secret})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one server process. Empty texts mean what the description says."""

    data: Annotated[str, _say("folder of everything the server keeps; it must be on a local disk")] = ""
    database: Annotated[
        str, _say("`postgresql://…` or `sqlite:///…`; without it `penstock.db` in the data folder")
    ] = ""
    blobs: Annotated[
        str,
        _say("where logs, artifacts and caches go: a folder, `s3://…`, `gs://…` or `az://…`; without it "
             "`blobs` in the data folder"),
    ] = ""  # fmt: skip
    key: Annotated[
        str, _say("keys that seal secrets, newest first, 32 bytes each in base64 or hex", secret=True)
    ] = ""
    key_file: Annotated[
        str, _say("file with those keys; without it `key` in the data folder, made when missing")
    ] = ""
    host: Annotated[str, _say("address to listen on; `0.0.0.0` or `::` for all")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535), _say("port to listen on; 0 lets the system choose one")
    ] = 8080  # fmt: skip
    base_url: Annotated[str, _say("how the server is reached from outside; without it host and port")] = ""
    tls_cert: Annotated[str, _say("file with the certificate and its chain; HTTPS when it is given")] = ""
    tls_key: Annotated[str, _say("file with the certificate's private key")] = ""
    log_level: Annotated[Level, _say("the least important messages to write")] = "info"
    log_format: Annotated[Format, _say("how lines of the log are written")] = "logfmt"
    metrics: Annotated[
        Literal["all", "accounts"],
        _say("who may read `/metrics`: `all`, or only `accounts`, with any valid token"),
    ] = "all"
    slots: Annotated[
        Count, _say("jobs the agent in the server runs at once, 0 for no agent; by default one a processor")
    ] | None = None  # fmt: skip
    labels: Annotated[tuple[str, ...], _say("labels of that agent, resource classes for example")] = ()
    executor: Annotated[
        ExecutorChoice,
        _say("where its jobs with images run; `auto` is Docker when an engine answers, else this host"),
    ] = "auto"
    drain: Annotated[Seconds, _say("seconds running jobs are given to end when the server is stopped")] = 30.0
    agent_grace: Annotated[
        Seconds, _say("seconds a job waits when no agent could ever take it, before it fails")
    ] = 600.0
    agent_lease: Annotated[
        float,
        Meta(ge=5, le=3600),
        _say("seconds an agent may be silent before what it runs is taken for lost and run elsewhere"),
    ] = LEASE
    usage_interval: Annotated[
        Seconds, _say("seconds between two looks of the server's agent at what a job uses; 0 for none")
    ] = 15.0
    credit_prices: Annotated[
        tuple[str, ...],
        _say("what a minute on a resource class costs in usage exports, as `acme/large=20`"),
    ] = ()
    retention: Annotated[Count, _say("days that ended pipelines are kept; 0 keeps them for ever")] = 0
    signing_key_days: Annotated[
        Count, _say("days a key signs identity tokens before another follows it; 0 is for ever")
    ] = 90
    admin_token: Annotated[
        str, _say("token of the first administrator; without it one is made and printed once", secret=True)
    ] = ""
    admin_password: Annotated[
        str, _say("password of the first administrator; without it there is none", secret=True)
    ] = ""
    git_protocols: Annotated[
        tuple[Literal["https", "http", "ssh", "file"], ...],
        _say("ways projects may be fetched; `file` lets projects read repositories on this machine"),
    ] = ("https", "ssh")
    git_folders: Annotated[
        tuple[str, ...],
        _say("folders below which repositories on this machine must be; without it they may be anywhere"),
    ] = ()
    git_hosts: Annotated[
        tuple[str, ...],
        _say(
            "where repositories of a host are, like `gh=https://git.example.com`, when only a slug is given"
        ),
    ] = ()
    webhook_protocols: Annotated[
        tuple[Literal["https", "http"], ...],
        _say("ways webhooks may be sent; `http` lets everybody on the way read them"),
    ] = ("https",)
    webhook_ports: Annotated[
        tuple[Port, ...], _say("ports webhooks may be sent to; 0 stands for any")
    ] = (80, 443, 8080, 8443)  # fmt: skip
    webhook_networks: Annotated[
        tuple[str, ...],
        _say("networks webhooks may be sent to beside public addresses, like `10.0.0.0/8`"),
    ] = ()
    body_limit: Annotated[Some, _say("bytes a request's body may have, unless it is an upload")] = 1 << 20
    body_depth: Annotated[Some, _say("how deep JSON in a body may be nested")] = 100
    body_patience: Annotated[Seconds, _say("seconds between two pieces of a body")] = 30.0
    connections: Annotated[
        Some, _say("connections open at once; past it one that is idle is closed, else a new one refused")
    ] = 4096
    threads: Annotated[Some, _say("requests that are worked on at once")] = 8
    waiting: Annotated[Count, _say("requests that may wait for their turn; more are turned away")] = 512


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One of the settings: how it is called everywhere, its type, and what is said of it."""

    name: str
    kind: Any
    default: Any
    help: str
    secret: bool

    @property
    def flag(self) -> str:
        """The option of `penstock serve`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The variable in the environment."""
        return "PENSTOCK_" + self.name.upper()

    @property
    def is_list(self) -> bool:
        """True when there may be several values, apart by commas in a variable."""
        return self.default == () or isinstance(self.default, tuple)


def list_settings() -> tuple[Setting, ...]:
    """All of them, in the order of the struct."""
    return tuple(_describe(field) for field in msgspec.structs.fields(Settings))


def check_together(settings: Settings) -> Settings:
    """The settings, which make sense together. Raises InvalidError."""
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise InvalidError("tls_cert and tls_key belong together: give both or none")
    read_hosts(settings)
    if settings.base_url and not settings.base_url.startswith(("http://", "https://")):
        raise InvalidError("base_url must begin with http:// or https://")
    for network in settings.webhook_networks:
        try:
            ip_network(network.strip(), strict=False)
        except ValueError:
            example = "write it like 10.0.0.0/8 or fd00::/8"
            raise InvalidError(f"webhook_networks: {network[:60]!r} is no network: {example}") from None
    parse_prices(settings.credit_prices)
    return settings


def read_hosts(settings: Settings) -> dict[str, str]:
    """Below which address the repositories of each host are. Raises InvalidError."""
    found = {}
    for text in settings.git_hosts:
        name, _, address = text.partition("=")
        if not address.strip():
            raise InvalidError(f"git_hosts: {text[:80]!r} is not like gh=https://git.example.com")
        found[shorten_host(name.strip())] = address.strip().rstrip("/")
    return found


def default_data(environment: Mapping[str, str]) -> Path:
    """The data folder when none is named: below XDG_DATA_HOME, else ~/.local/share."""
    base = environment.get("XDG_DATA_HOME") or f"{environment.get('HOME', '~')}/.local/share"
    return Path(base).expanduser() / "penstock-server"


def _describe(field: msgspec.structs.FieldInfo) -> Setting:
    kind = msgspec.inspect.type_info(field.type)
    text = ""
    extra: dict[str, Any] = {}
    for info in _layers(kind):
        text = text or str((info.extra_json_schema or {}).get("description", ""))
        extra = extra or dict(info.extra or {})
    return Setting(
        name=field.name,
        kind=field.type,
        default=field.default,
        help=text,
        secret=bool(extra.get("secret")),
    )


def _layers(kind: msgspec.inspect.Type) -> list[msgspec.inspect.Metadata]:
    """The metadata of a type and of the parts of a union."""
    parts = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    return [part for part in parts if isinstance(part, msgspec.inspect.Metadata)]
