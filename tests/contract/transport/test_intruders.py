"""Whoever speaks as an agent and is none, or speaks nonsense: refused with a sentence, nothing changes."""

import hashlib
import threading
from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import select

from penstock.agent.remote.link import Ask, Links, UnknownTokenError
from penstock.agent.transport import BlobKind
from penstock.engine.agent_groups import remove_agent
from penstock.engine.authenticate import TRUST
from penstock.engine.principal import SERVER
from penstock.engine.task_tokens import PURPOSE, sign_task_token
from penstock.kit.ids import new_id
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    PenstockError,
    RefusedError,
)
from penstock.model.status import TaskStatus
from penstock.store.schema import metadata
from penstock.store.sealing import Sealer
from penstock.wire.messages import Sync, TaskFinished, TaskStarted
from penstock.wire.protocol import CHECKSUM_HEADER, PROTOCOL_HEADER, SEGMENT, Farewell, Hello, Keys
from tests.support.lab import Lab
from tests.support.served import SEALER
from tests.support.stations import Connected, Station, open_station

UPLOAD = "01a1ff4f-77b7-7e0c-bbfa-6d0268c2a23b"
"""The id of an upload, the same in each process that collects these tests."""


class Site:
    """A server with an agent that has a task, and a way to say anything to it."""

    def __init__(self, station: Station) -> None:
        assert station.served is not None
        self.lab: Lab = station.lab
        self.links: Links = station.served.links
        self.station = station
        self.lab.run({"build": None})
        self.agent: Connected = station.connect()
        assignment = self.agent.take()
        self.task, self.token = assignment.task, assignment.token

    def post(self, path: str, token: str, body: object, **headers: str) -> bytes:
        data = body if isinstance(body, bytes) else msgspec.msgpack.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.links.ask(
            Ask(method="POST", path=f"/agent/v1/{path}", token=token, body=data, headers=named)
        )

    def put(self, path: str, data: bytes, token: str = "", checksum: str = "") -> bytes:
        told = checksum or hashlib.sha256(data).hexdigest()
        return self.links.ask(
            Ask(
                method="PUT",
                path=f"/agent/v1/uploads/{path}",
                token=token or self.token,
                body=data,
                headers={CHECKSUM_HEADER: told},
            )
        )

    def snapshot(self) -> tuple[str, tuple[str, ...]]:
        """Every row and every blob there is."""
        with self.lab.parts.db.read() as tx:
            rows = [sorted(map(repr, tx.execute(select(table)))) for table in metadata.sorted_tables]
        return repr(rows), tuple(sorted(name for name, _ in self.lab.parts.blobs.list()))


@pytest.fixture
def site(lab: Lab) -> Iterator[Site]:
    with open_station("over HTTP", lab) as station:
        yield Site(station)


def sync_of(agent: str, **more: object) -> Sync:
    return msgspec.convert({"agent": agent, **more}, Sync)


def test_an_agent_can_speak_for_itself_alone(site: Site) -> None:
    other = site.station.connect()
    before = site.snapshot()
    with pytest.raises(ForbiddenError, match="itself alone"):
        site.post("sync", site.agent.token, sync_of(other.uuid, free=1))
    assert site.snapshot() == before


def test_what_an_agent_says_of_another_s_task_is_not_heard(site: Site) -> None:
    other = site.station.connect()
    before = site.snapshot()
    ended = TaskFinished(task=site.task, sequence=9, at=0, status=TaskStatus.SUCCESS)
    started = TaskStarted(task=site.task, sequence=8, at=0)
    answer = other.sync(started, ended)
    other.held.append(site.task)
    assert other.sync().lost == (site.task,)
    assert answer.assignments == ()
    assert site.snapshot() == before


@pytest.mark.parametrize("secret", ["", "psa_", "psa_wrong", "psk_wrong", "psj_wrong", "x" * 5000, "ä"])
def test_wrong_tokens_open_nothing(site: Site, secret: str) -> None:
    before = site.snapshot()
    for path, body in (
        ("sync", sync_of(site.agent.uuid)),
        ("enlist", Hello(name="x")),
        ("return", Hello(name="x")),
        ("handback", b""),
        ("leave", Farewell(forget=True)),
        ("caches/find", Keys(keys=("x",))),
    ):
        with pytest.raises((UnknownTokenError, ForbiddenError)):
            site.post(path, secret.encode().decode("latin-1"), body)
    assert site.snapshot() == before


def test_each_kind_of_token_opens_its_own_routes_alone(site: Site) -> None:
    before = site.snapshot()
    for path, token, body in (
        ("sync", site.token, sync_of(site.agent.uuid)),
        ("leave", site.token, Farewell()),
        ("enlist", site.agent.token, Hello(name="x")),
        ("caches/find", site.agent.token, Keys(keys=("x",))),
        ("continue", site.agent.token, b""),
    ):
        with pytest.raises(ForbiddenError, match="does not allow"):
            site.post(path, token, body)
    with pytest.raises(ForbiddenError):
        site.put(f"cache/{new_id()}?last=true", b"x", token=site.agent.token)
    assert site.snapshot() == before


def test_a_task_s_token_dies_with_the_task(site: Site) -> None:
    ended = TaskFinished(task=site.task, sequence=9, at=0, status=TaskStatus.SUCCESS)
    site.agent.sync(ended)
    before = site.snapshot()
    with pytest.raises(UnknownTokenError):
        site.put(f"artifact/{new_id()}?last=true", b"x")
    with pytest.raises(UnknownTokenError):
        site.post("caches/find", site.token, Keys(keys=("x",)))
    assert site.snapshot() == before


def test_a_task_s_token_dies_when_the_task_is_another_s(site: Site) -> None:
    site.lab.pass_time(40)
    with pytest.raises(UnknownTokenError):
        site.post("caches/find", site.token, Keys(keys=("x",)))


def test_a_token_of_another_server_is_worth_nothing(site: Site) -> None:
    later = site.lab.clock.now() + 1000
    forged = sign_task_token(Sealer([b"x" * 32]).derive_keys(PURPOSE), site.task, expires_at=later)
    with pytest.raises(UnknownTokenError):
        site.post("caches/find", forged, Keys(keys=("x",)))
    ours = sign_task_token(SEALER.derive_keys(PURPOSE), new_id(), expires_at=later)
    with pytest.raises(UnknownTokenError):
        site.post("caches/find", ours, Keys(keys=("x",)))


def test_a_removed_agent_is_not_let_in_any_more(site: Site) -> None:
    remove_agent(site.lab.parts, SERVER, site.agent.uuid)
    site.lab.clock.advance(TRUST + 1)
    with pytest.raises(UnknownTokenError):
        site.agent.sync(free=1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"{}",
        b"\x80",
        b"\x91" * 100_000,
        msgspec.msgpack.encode({"agent": 1}),
        msgspec.msgpack.encode({"agent": "x", "events": [{"event": "nonsense"}]}),
        msgspec.msgpack.encode({"agent": "x", "wait": "long"}),
    ],
)
def test_nonsense_is_refused(site: Site, body: bytes) -> None:
    before = site.snapshot()
    with pytest.raises(InvalidError, match="the body"):
        site.post("sync", site.agent.token, body)
    assert site.snapshot() == before


@pytest.mark.parametrize(
    ("path", "data", "error"),
    [
        (f"cache/{UPLOAD}?offset=-1", b"x", InvalidError),
        (f"cache/{UPLOAD}?offset=nought", b"x", InvalidError),
        (f"cache/{UPLOAD}?offset=99999999999999999", b"x", LimitExceededError),
        (f"cache/{UPLOAD}", b"x" * (SEGMENT + 1), LimitExceededError),
        (f"log/{UPLOAD}", b"x", InvalidError),
        ("cache/..%2F..%2Fetc", b"x", InvalidError),
        ("..%2F..%2Fetc/passwd", b"x", InvalidError),
        ("cache/short", b"x", InvalidError),
        ("cache/" + "A" * 36, b"x", InvalidError),
    ],
)
def test_segments_that_cannot_be_are_refused(
    site: Site, path: str, data: bytes, error: type[PenstockError]
) -> None:
    before = site.snapshot()
    with pytest.raises(error):
        site.put(path, data)
    assert site.snapshot() == before


def test_an_end_that_is_sent_again_while_the_first_is_worked_on_does_no_harm(site: Site) -> None:
    name, size = new_id(), 3 * SEGMENT
    for at in range(0, size, SEGMENT):
        site.put(f"cache/{name}?offset={at}", bytes(SEGMENT))
    answers: list[bytes] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(site.put(f"cache/{name}?offset={size}&last=true", b"x"))
        )
        for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(answers) == 6
    [(blob, stored)] = site.lab.parts.blobs.list()
    assert (stored, set(answers)) == (size + 1, {answers[0]})
    assert site.lab.parts.blobs.read(blob) == bytes(size) + b"x"


def test_an_upload_with_a_gap_does_not_become_whole(site: Site) -> None:
    name = new_id()
    site.put(f"cache/{name}?offset=0", b"abc")
    with pytest.raises(ConflictError, match="missing"):
        site.put(f"cache/{name}?offset=10&last=true", b"x")
    assert not [blob for _, blobs in [site.snapshot()] for blob in blobs if blob.startswith("cache/")]


def test_damaged_bytes_are_not_kept(site: Site) -> None:
    before = site.snapshot()
    with pytest.raises(ConflictError, match="damaged"):
        site.put(f"cache/{new_id()}?last=true", b"abc", checksum="0" * 64)
    assert site.snapshot() == before


def test_an_upload_s_name_of_another_task_leads_nowhere(site: Site) -> None:
    blob = site.agent.transport.upload(site.task, BlobKind.ARTIFACT, [b"mine"])
    site.lab.run({"other": None})
    other = site.station.connect()
    theirs = other.take()
    name = blob.rpartition("/")[2]
    site.put(f"artifact/{name}?last=true", b"theirs", token=theirs.token)
    assert site.lab.parts.blobs.read(blob) == b"mine"


@pytest.mark.parametrize("wanted", ["bytes=0-5", "bytes=-5", "lines=1-", "bytes=1-,5-"])
def test_only_plain_ranges_are_known(site: Site, wanted: str) -> None:
    blob = site.agent.transport.upload(site.task, BlobKind.ARTIFACT, [b"mine"])
    with pytest.raises(InvalidError, match="ranges"):
        site.links.ask(
            Ask(method="GET", path=f"/agent/v1/blobs/{blob}", token=site.token, headers={"range": wanted})
        )


@pytest.mark.parametrize(("protocol", "says"), [("0", "too old"), ("2", "newer than"), ("x", "too old")])
def test_partners_that_do_not_understand_each_other_are_told_what_to_do(
    site: Site, protocol: str, says: str
) -> None:
    before = site.snapshot()
    for path, token, body in (
        ("sync", site.agent.token, sync_of(site.agent.uuid, free=1)),
        ("return", site.agent.token, Hello(name="x")),
        ("enlist", "psj_any", Hello(name="x")),
    ):
        with pytest.raises(RefusedError, match=says) as caught:
            site.post(path, token, body, **{PROTOCOL_HEADER.replace("-", "_"): protocol})
        assert "upgrade the server" in str(caught.value) or "install that version" in str(caught.value)
    assert site.snapshot() == before


def test_unknown_addresses_answer_as_agents_understand(site: Site) -> None:
    with pytest.raises(NotFoundError, match="nothing at this address"):
        site.post("nonsense", site.agent.token, b"")
