"""Images: what is known of one, and fetching one that is missing."""

import base64
import queue
import threading
from collections.abc import Mapping
from contextlib import suppress
from string import Template

import msgspec

from penstock.agent.executor.base import LostPlaceError, Watch
from penstock.agent.executor.docker.engine import Engine, EngineError
from penstock.model.errors import UnavailableError
from penstock.plan.executor import Image, RegistryAuth

_MISSING = 404
_LOOK = 0.2  # seconds between looks at who wants the task to end
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


def provide_image(engine: Engine, image: Image, variables: Mapping[str, str], watch: Watch) -> ImageFacts:
    """What there is to know of an image, which is fetched when it is missing. Raises UnavailableError."""
    name = expand_text(image.image, variables)
    facts = _find_image(engine, name)
    if facts is None:
        if image.auth is not None and image.auth.provider:
            watch.say(
                f"Warning: {name} is pulled without credentials: those of clouds are not understood yet"
            )
        watch.say(f"Pulling {name}")
        _pull(engine, name, encode_auth(image.auth, variables), watch)
        facts = _find_image(engine, name)
    if facts is None:
        raise UnavailableError(f"the image {name} was pulled and is not there")
    return facts


def _find_image(engine: Engine, name: str) -> ImageFacts | None:
    try:
        return engine.ask(ImageFacts, f"/images/{name}/json")
    except EngineError as error:
        if error.status == _MISSING:
            return None
        raise UnavailableError(f"the engine cannot tell about the image {name}: {error}") from error


def expand_text(text: str, variables: Mapping[str, str]) -> str:
    """The text with `$NAME` and `${NAME}` replaced; unknown names stay as they are."""
    return Template(text).safe_substitute(variables)


def encode_auth(auth: RegistryAuth | None, variables: Mapping[str, str]) -> str:
    """The credentials as the engine wants them in its header; empty without any."""
    if auth is None or not auth.username:
        return ""
    names = {
        "username": expand_text(auth.username, variables),
        "password": expand_text(auth.password, variables),
    }
    return base64.urlsafe_b64encode(msgspec.json.encode(names)).decode()


def split_name(name: str) -> tuple[str, str]:
    """An image's repository and its tag or digest, `latest` when it has none."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _pull(engine: Engine, name: str, auth: str, watch: Watch) -> None:
    """Fetch the image, telling of each layer's turn; the wait can be interrupted."""
    told: queue.SimpleQueue[_Progress | Exception | None] = queue.SimpleQueue()
    over = threading.Event()
    arguments = (engine, name, auth, told, over)
    threading.Thread(target=_pull_apart, args=arguments, name="penstock-pull", daemon=True).start()
    try:
        while True:
            watch.breathe()
            with suppress(queue.Empty):
                news = told.get(timeout=_LOOK)
                if news is None:
                    return
                _heed(news, name, watch)
    finally:
        over.set()


def _heed(news: _Progress | Exception, name: str, watch: Watch) -> None:
    if isinstance(news, Exception):
        raise UnavailableError(f"cannot pull the image {name}: {news}") from news
    if news.error:
        raise UnavailableError(f"cannot pull the image {name}: {news.error}")
    if news.status and not news.status.startswith(("Downloading", "Extracting", "Waiting", "Verifying")):
        watch.say(f"{news.id}: {news.status}" if news.id else news.status)


def _pull_apart(
    engine: Engine,
    name: str,
    auth: str,
    told: "queue.SimpleQueue[_Progress | Exception | None]",
    over: threading.Event,
) -> None:
    """Read the engine's progress into the queue; None is the end."""
    repository, tag = split_name(name)
    headers = {"X-Registry-Auth": auth} if auth else {}
    query = {"fromImage": repository, "tag": tag}
    try:
        with engine.open("POST", "/images/create", query, headers=headers) as response:
            while not over.is_set() and (line := response.readline()):
                told.put(msgspec.json.decode(line, type=_Progress))
    except (EngineError, LostPlaceError, msgspec.DecodeError) as error:
        told.put(error)
    told.put(None)
