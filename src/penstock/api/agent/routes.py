"""The table of what agents on other machines ask. What goes in and out is in `penstock.wire`."""

from functools import partial

from penstock.api.agent.auth import find_caller, read_secret
from penstock.api.agent.blobs import SegmentQuery, give_blob, take_segment, tell_upload
from penstock.api.agent.exchange import sync
from penstock.api.agent.membership import come_back, depart, enlist, hand_in
from penstock.api.agent.packed import read_bytes, read_packed, show_error
from penstock.api.agent.questions import continue_pipeline, find_cache, find_others, has_cache, mint_token
from penstock.api.common.dialect import Dialect
from penstock.api.common.route import Route
from penstock.model.status import TaskStatus
from penstock.wire.messages import CacheHit, Commands, Continue, Continued, Minted, Sync, TokenWish
from penstock.wire.protocol import MEDIA, PREFIX, SEGMENT, Farewell, Hello, Keys, UploadState, Welcome

MOST_NEWS = 32 << 20
"""Bytes of one message of an agent; it sends a few MiB at a time."""

MOST_CONFIG = 8 << 20
"""Bytes of a request to continue a pipeline."""

_packed = partial(Route, decode=read_packed, media=MEDIA)
_UPLOAD = f"{PREFIX}uploads/{{kind}}/{{upload}}"

MEMBERSHIP = (
    _packed(
        method="POST",
        path=f"{PREFIX}enlist",
        handler=enlist,
        access="join",
        summary="Join a group with its token",
        body=Hello,
        answer=Welcome,
        status=201,
    ),
    _packed(
        method="POST",
        path=f"{PREFIX}return",
        handler=come_back,
        access="exchange",
        summary="Begin anew as the same agent",
        body=Hello,
        answer=Welcome,
    ),
    _packed(
        method="POST",
        path=f"{PREFIX}handback",
        handler=hand_in,
        access="exchange",
        summary="Give back what is held",
        status=204,
    ),
    _packed(
        method="POST",
        path=f"{PREFIX}leave",
        handler=depart,
        access="exchange",
        summary="Say goodbye",
        body=Farewell,
        status=204,
    ),
)

EXCHANGE = (
    _packed(
        method="POST",
        path=f"{PREFIX}sync",
        handler=sync,
        access="exchange",
        summary="Deliver news, take commands",
        body=Sync,
        answer=Commands,
        limit=MOST_NEWS,
        held=True,
        quiet=True,
    ),
)

BLOBS = (
    _packed(
        method="GET",
        path=_UPLOAD,
        handler=tell_upload,
        access="task",
        summary="How much of an upload is there",
        answer=UploadState,
        quiet=True,
    ),
    Route(
        method="PUT",
        path=_UPLOAD,
        handler=take_segment,
        access="task",
        summary="Store a segment of an upload",
        query=SegmentQuery,
        body=bytes,
        decode=read_bytes,
        media=MEDIA,
        answer=UploadState,
        limit=SEGMENT,
        quiet=True,
    ),
    Route(
        method="GET",
        path=f"{PREFIX}blobs/{{blob:rest}}",
        handler=give_blob,
        access="task",
        summary="Fetch a blob, or its end by a range",
        quiet=True,
    ),
)

QUESTIONS = (
    _packed(
        method="POST",
        path=f"{PREFIX}caches/find",
        handler=find_cache,
        access="task",
        summary="Find the newest cache for keys",
        body=Keys,
        answer=CacheHit | None,
        quiet=True,
    ),
    _packed(
        method="POST",
        path=f"{PREFIX}caches/has",
        handler=has_cache,
        access="task",
        summary="Ask whether keys are taken",
        body=Keys,
        answer=list[bool],
        quiet=True,
    ),
    _packed(
        method="GET",
        path=f"{PREFIX}others",
        handler=find_others,
        access="task",
        summary="How the other copies stand",
        answer=tuple[TaskStatus, ...],
        quiet=True,
    ),
    _packed(
        method="POST",
        path=f"{PREFIX}continue",
        handler=continue_pipeline,
        access="task",
        summary="Continue the pipeline",
        body=Continue,
        answer=Continued,
        limit=MOST_CONFIG,
    ),
    _packed(
        method="POST",
        path=f"{PREFIX}identity",
        handler=mint_token,
        access="task",
        summary="Sign an identity token for the job",
        body=TokenWish,
        answer=Minted,
    ),
)

AGENT = Dialect(
    name="agent",
    title="Agents on other machines",
    prefixes=(PREFIX,),
    routes=(*MEMBERSHIP, *EXCHANGE, *BLOBS, *QUESTIONS),
    security={"token": {"type": "http", "scheme": "bearer"}},
    show_error=show_error,
    read_secret=read_secret,
    find_caller=find_caller,
)
