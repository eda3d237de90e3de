"""Images: what is known of one, and fetching one that is missing."""

import queue
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from string import Template

import msgspec

from penstock.agent.executor.base import Watch
from penstock.agent.executor.docker.credentials import HUB, find_credentials
from penstock.agent.executor.docker.engine import Engine, EngineError
from penstock.kit.shapes import read_json
from penstock.model.errors import PenstockError, UnavailableError
from penstock.plan.executor import RegistryAuth

_MISSING = 404
_LOOK = 0.2  # seconds between looks at who wants the task to end
_NAME = re.compile(r"[\w./:@-]+", re.ASCII)
_MOTION = ("Downloading", "Extracting", "Waiting", "Verifying")  # told again and again
_DENIED = re.compile(r"unauthorized|no basic auth|authentication required|denied", re.IGNORECASE)
_LOG_IN = ". Give the image `auth`, or log in on this machine with docker login"
_PRESERVE = "com.circleci.preserve-entrypoint"


class ImageConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """The part of an image's config that counts here."""

    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    user: str = ""
    labels: dict[str, str] | None = None


class ImageFacts(msgspec.Struct, frozen=True, rename="pascal"):
    """What the engine tells about an image."""

    id: str
    config: ImageConfig | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the image."""
        pairs = (self.config and self.config.env) or []
        return dict(pair.partition("=")[::2] for pair in pairs)

    @property
    def preserves_entrypoint(self) -> bool:
        """True when a primary container must run the image's own entrypoint (CircleCI docs: label)."""
        labels = (self.config and self.config.labels) or {}
        return labels.get(_PRESERVE, "").lower() == "true"


class _Progress(msgspec.Struct, frozen=True):
    status: str = ""
    id: str = ""
    error: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """An image and what helps to get it: variables of the job, the folder of Docker's client."""

    name: str
    auth: RegistryAuth | None = None
    variables: Mapping[str, str] = {}
    logins: Path | None = None


def provide_image(engine: Engine, wanted: Wanted, watch: Watch) -> ImageFacts:
    """What there is to know of an image, which is fetched when it is missing. Raises UnavailableError."""
    check_name(wanted.name)
    facts = _find_image(engine, wanted.name)
    if facts is None:
        watch.say(f"Pulling {wanted.name}")
        _pull(engine, wanted, watch)
        facts = _find_image(engine, wanted.name)
    if facts is None:
        raise UnavailableError(f"the image {wanted.name} was pulled and is not there")
    return facts


def check_name(name: str) -> None:
    """Raises UnavailableError for what cannot be the name of an image."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise UnavailableError(f"{name!r} is no name of an image")


def _find_image(engine: Engine, name: str) -> ImageFacts | None:
    try:
        return engine.ask(ImageFacts, f"/images/{name}/json")
    except EngineError as error:
        if error.status == _MISSING:
            return None
        raise UnavailableError(f"the engine cannot tell about the image {name}: {error}") from error


def split_name(name: str) -> tuple[str, str]:
    """An image's repository and its tag or digest, `latest` when it has none."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def expand_name(text: str, variables: Mapping[str, str]) -> str:
    """The name with `$NAME` and `${NAME}` replaced; unknown ones stay as they are."""
    return Template(text).safe_substitute(variables)


def find_registry(name: str) -> str:
    """The registry an image's name begins with; empty for Docker Hub (Docker docs: image references)."""
    first, slash, _ = name.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if is_host and first not in {"docker.io", "index.docker.io"} else ""


def _pull(engine: Engine, wanted: Wanted, watch: Watch) -> None:
    """Fetch the image, telling of each layer's turn; the wait can be interrupted."""
    told: queue.SimpleQueue[_Progress | PenstockError | None] = queue.SimpleQueue()
    over = threading.Event()
    arguments = (engine, wanted, told, over)
    threading.Thread(target=_pull_apart, args=arguments, name="penstock-pull", daemon=True).start()
    try:
        while True:
            watch.breathe()
            with suppress(queue.Empty):
                news = told.get(timeout=_LOOK)
                if news is None:
                    return
                _heed(news, wanted.name, watch)
    finally:
        over.set()


def _heed(news: _Progress | PenstockError, name: str, watch: Watch) -> None:
    problem = str(news) if isinstance(news, PenstockError) else news.error
    if problem:
        hint = _LOG_IN if _DENIED.search(problem) else ""
        raise UnavailableError(f"cannot pull the image {name}: {problem}{hint}")
    if isinstance(news, _Progress) and news.status and not news.status.startswith(_MOTION):
        watch.say(f"{news.id}: {news.status}" if news.id else news.status)


def _pull_apart(
    engine: Engine,
    wanted: Wanted,
    told: "queue.SimpleQueue[_Progress | PenstockError | None]",
    over: threading.Event,
) -> None:
    """Read the engine's progress into the queue; None is the end."""
    repository, tag = split_name(wanted.name)
    registry = find_registry(wanted.name)
    query = {"fromImage": repository, "tag": tag}
    try:
        found = find_credentials(registry, wanted.auth, wanted.variables, wanted.logins)
        headers = {"X-Registry-Auth": found.encode(registry or HUB)} if found is not None else {}
        with engine.open("POST", "/images/create", query, headers=headers) as response:
            while not over.is_set() and (line := response.readline()):
                told.put(read_json(line, _Progress))
    except PenstockError as error:
        told.put(error)
    except msgspec.DecodeError as error:
        told.put(UnavailableError(f"the engine says what nobody understands: {error}"))
    told.put(None)
