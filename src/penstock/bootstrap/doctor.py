"""Looks at everything a server depends on, and says of each whether it will do."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path

import msgspec

from penstock.bootstrap.executors import open_engine_for
from penstock.bootstrap.folder import DataFolder, FolderLock
from penstock.bootstrap.http import load_tls, open_sockets
from penstock.bootstrap.keyring import name_origin
from penstock.bootstrap.parts import locate_database
from penstock.bootstrap.readiness import LEAST_SPACE
from penstock.bootstrap.settings import Settings
from penstock.bootstrap.sources import find_slips
from penstock.model.errors import PenstockError, RefusedError
from penstock.store.blobs import Blobs
from penstock.store.database import Database, find_version
from penstock.store.resealing import count_locked
from penstock.store.sealing import KEY_BYTES, KEY_VARIABLE, Sealer
from penstock.store.upgrade import HEAD

SCARCE = 2 << 30
"""Bytes free on a disk below which a server will soon be in trouble."""

FEW_FILES = 4096
FEW_INODES = 10_000
DAYS_LEFT = 14
"""Days before its end at which a certificate is worth a warning."""

MOST_CONNECTIONS = 32
"""Connections to PostgreSQL that one server may want at once."""

_GIT_SECONDS = 10
_OLDEST_GIT = (2, 30)
_PROBE = "probes/doctor"
_SKEW = 2.0  # seconds between clocks that do no harm
_EPOCH = 1_767_225_600  # 2026-01-01: a clock that is before it was never set


class Verdict(StrEnum):
    """How well something will do."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True):
    """What was found out about one thing; `way_out` is empty when none is needed."""

    verdict: Verdict
    subject: str
    what: str
    way_out: str = ""


WAYS_OUT = {
    "folder": "name a folder that this user may write to with --data",
    "keys": "put back the key file of this server: without it no secret can be read",
    "database": "look at the setting `database`; a damaged file comes back from `penstock restore`",
    "secrets": "mend the keys and the database first",
    "blobs": "look at the setting `blobs` and at what the store wants: AWS_… or the like in the environment",
    "tls": "tls_cert and tls_key must be PEM files that this user may read and that belong together",
}
"""What to do about what is wrong with a part, when the error does not say."""

Check = Callable[[Settings, DataFolder], Finding]


def examine(settings: Settings, folder: DataFolder) -> Iterator[Finding]:
    """A finding for each thing, as soon as it is known. Nothing is left changed."""
    for check in CHECKS:
        try:
            yield check(settings, folder)
        except PenstockError as error:
            subject = check.__name__.removeprefix("check_").replace("_", " ")
            yield Finding(Verdict.FAIL, subject, str(error), WAYS_OUT.get(subject, ""))


def check_folder(_settings: Settings, folder: DataFolder) -> Finding:
    """The data folder can be written to, is private, and no other server uses it."""
    root = folder.root
    if not root.exists():
        above = next(path for path in root.parents if path.exists())
        if not os.access(above, os.W_OK):
            return Finding(
                Verdict.FAIL, "folder", f"{root} cannot be made", "name another folder with --data"
            )
        return Finding(Verdict.OK, "folder", f"{root} will be made")
    folder.make()
    if root.stat().st_mode & 0o077:
        return Finding(Verdict.WARN, "folder", f"others may look into {root}", f"chmod 700 {root}")
    if _is_served(folder):
        return Finding(Verdict.OK, "folder", f"{root}, a server runs on it")
    return Finding(Verdict.OK, "folder", str(root))


def check_disk(settings: Settings, folder: DataFolder) -> Finding:
    """There is space for data and blobs, and the data folder's file system has locks that hold."""
    place = _find_existing(folder.root)
    kind = _find_file_system(place)
    if kind.startswith(("nfs", "cifs", "smb", "fuse.sshfs")):
        return Finding(
            Verdict.FAIL, "disk", f"{place} is on {kind}, whose locks do not hold", "use a local disk"
        )
    places = [place] if "://" in settings.blobs else [place, _find_existing(Path(settings.blobs or place))]
    least = min(places, key=lambda each: shutil.disk_usage(each).free)
    free, files = shutil.disk_usage(least).free, os.statvfs(least)
    if free < LEAST_SPACE:
        return Finding(Verdict.FAIL, "disk", f"{free >> 20} MiB free at {least}: full", "make room")
    if free < SCARCE:
        way_out = "make room, or set retention"
        return Finding(Verdict.WARN, "disk", f"{free / (1 << 30):.1f} GiB free at {least}", way_out)
    if files.f_files and files.f_favail < FEW_INODES:
        return Finding(Verdict.WARN, "disk", f"room for {files.f_favail} more files at {least}", "make room")
    return Finding(Verdict.OK, "disk", f"{free / (1 << 30):.1f} GiB free")


def check_keys(settings: Settings, folder: DataFolder) -> Finding:
    """There are keys to seal secrets with, or a place to make them."""
    file = Path(settings.key_file) if settings.key_file else folder.key
    if not settings.key and not file.exists():
        return Finding(Verdict.OK, "keys", f"{file} will be made")
    Sealer.load(file, {KEY_VARIABLE: settings.key})
    return Finding(Verdict.OK, "keys", "from the settings" if settings.key else str(file))


def check_database(settings: Settings, folder: DataFolder) -> Finding:
    """The database answers, and its tables are of a form this program knows."""
    version = find_version(locate_database(settings, folder), patience=5)
    if version is None:
        return Finding(Verdict.OK, "database", "its tables will be made")
    if not version.isdecimal() or int(version) > int(HEAD):
        return Finding(
            Verdict.FAIL, "database", f"schema {version} is of a newer penstock", "upgrade this program"
        )
    if version != HEAD:
        way_out = "`penstock db upgrade`, or start the server"
        return Finding(Verdict.WARN, "database", f"schema {version}, this one needs {HEAD}", way_out)
    database = Database.open(locate_database(settings, folder), patience=5)
    try:
        with database.write():
            pass
        room = database.count_room()
    finally:
        database.close()
    if room is not None and room < MOST_CONNECTIONS:
        way_out = f"raise max_connections of PostgreSQL: each server may want {MOST_CONNECTIONS}"
        return Finding(Verdict.WARN, "database", f"takes only {room} more connections", way_out)
    return Finding(Verdict.OK, "database", f"answers, schema {version}")


def check_secrets(settings: Settings, folder: DataFolder) -> Finding:
    """The keys open all secrets there are."""
    file = Path(settings.key_file) if settings.key_file else folder.key
    url = locate_database(settings, folder)
    if find_version(url, patience=5) != HEAD:
        return Finding(Verdict.OK, "secrets", "there are none yet")
    there = bool(settings.key) or file.exists()
    sealer = Sealer.load(file, {KEY_VARIABLE: settings.key}) if there else Sealer([os.urandom(KEY_BYTES)])
    with closing(Database.open(url, patience=5)) as database, database.read() as tx:
        locked = count_locked(tx, sealer)
    if locked:
        way_out = f"put the old key after the newest into {name_origin(settings, folder)}"
        return Finding(Verdict.FAIL, "secrets", f"{locked} were sealed with keys that are not there", way_out)
    return Finding(Verdict.OK, "secrets", "the keys open them all")


def check_blobs(settings: Settings, folder: DataFolder) -> Finding:
    """A blob can be written, read and deleted."""
    if not settings.blobs and not folder.root.exists():
        return Finding(Verdict.OK, "blobs", f"{folder.blobs} will be made")
    blobs = Blobs.connect(settings.blobs or str(folder.blobs))
    blobs.put(_PROBE, [b"probe"])
    sound = blobs.read(_PROBE) == b"probe"
    blobs.delete(_PROBE)
    if not sound:
        return Finding(Verdict.FAIL, "blobs", "what was written came back changed", "look at the blob store")
    return Finding(Verdict.OK, "blobs", "can be written and read")


def check_tls(settings: Settings, _folder: DataFolder) -> Finding:
    """The certificate can be used for a while, and its key is nobody else's."""
    if not settings.tls_cert:
        return Finding(Verdict.OK, "tls", "not set: plain HTTP")
    load_tls(settings)
    from cryptography.x509 import load_pem_x509_certificate

    certificate = load_pem_x509_certificate(Path(settings.tls_cert).read_bytes())
    left = (certificate.not_valid_after_utc.timestamp() - time.time()) / 86400
    until = certificate.not_valid_after_utc.date()
    if left < 0:
        return Finding(Verdict.FAIL, "tls", f"the certificate ended on {until}", "renew it")
    if left < DAYS_LEFT:
        return Finding(Verdict.WARN, "tls", f"the certificate ends on {until}", "renew it soon")
    if Path(settings.tls_key).stat().st_mode & 0o007:
        what = f"everybody may read {settings.tls_key}"
        return Finding(Verdict.WARN, "tls", what, f"chmod o= {settings.tls_key}")
    return Finding(Verdict.OK, "tls", f"the certificate is good until {until}")


def check_address(settings: Settings, folder: DataFolder) -> Finding:
    """The port is free or the server's own, and whoever is to reach the server can, in private."""
    try:
        socket.getaddrinfo(settings.host or None, settings.port, type=socket.SOCK_STREAM)
    except OSError:
        way_out = "name an address of this machine with --host"
        return Finding(Verdict.FAIL, "address", f"{settings.host} is no address", way_out)
    if not _is_served(folder):
        for each in open_sockets(settings.host, settings.port):
            each.close()
    public = settings.host not in {"127.0.0.1", "::1", "localhost"}
    if public and not settings.tls_cert and not settings.base_url.startswith("https:"):
        way_out = "give --tls-cert and --tls-key, or --base-url https://… of a proxy that has them"
        return Finding(Verdict.WARN, "address", f"{settings.host} without TLS: tokens can be read", way_out)
    return Finding(Verdict.OK, "address", f"{settings.host} port {settings.port}")


def check_git(settings: Settings, _folder: DataFolder) -> Finding:
    """There is a git that is new enough, and ssh when repositories are fetched so."""
    try:
        done = subprocess.run(
            ["git", "--version"], capture_output=True, text=True, timeout=_GIT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return Finding(Verdict.FAIL, "git", "there is none", "install git")
    words = done.stdout.split()
    version = words[2] if len(words) > 2 else ""  # noqa: PLR2004 - git version X
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers < _OLDEST_GIT:
        return Finding(Verdict.WARN, "git", f"version {version} is old", "install git 2.30 or newer")
    if "ssh" in settings.git_protocols and shutil.which("ssh") is None:
        way_out = "install OpenSSH's client, or leave `ssh` out of git_protocols"
        return Finding(Verdict.WARN, "git", "there is no ssh to fetch with", way_out)
    return Finding(Verdict.OK, "git", f"version {version}")


def check_docker(settings: Settings, _folder: DataFolder) -> Finding:
    """Jobs with images can run as the settings say."""
    if settings.executor == "host":
        return Finding(Verdict.OK, "docker", "not wanted: jobs run on this host")
    if open_engine_for(settings.executor) is None:
        way_out = 'start Docker, or say `executor = "host"` if that is meant'
        return Finding(
            Verdict.WARN, "docker", "no engine answers: jobs with images run on this host", way_out
        )
    return Finding(Verdict.OK, "docker", "an engine answers")


def check_clock(settings: Settings, folder: DataFolder) -> Finding:
    """The clock was set, and goes as the database server's does."""
    now = time.time()
    if now < _EPOCH:
        return Finding(Verdict.FAIL, "clock", "it was never set", "set it, best with NTP")
    try:
        skew = _measure_skew(locate_database(settings, folder))
    except PenstockError:
        return Finding(Verdict.OK, "clock", "set; the database server's is not known")
    if skew > _SKEW:
        what = f"it is {skew:.0f} s apart from the database server's"
        return Finding(Verdict.WARN, "clock", what, "set both, best with NTP")
    return Finding(Verdict.OK, "clock", "set")


def _measure_skew(url: str) -> float:
    """Seconds between our clock and the database server's; 0 for SQLite. Raises what opening it does."""
    if find_version(url, patience=5) != HEAD:
        return 0
    database = Database.open(url, patience=5)
    try:
        return abs(database.ask_time() - time.time())
    finally:
        database.close()


def check_settings(_settings: Settings, _folder: DataFolder) -> Finding:
    """No variable is meant for a setting and misses it."""
    slips = find_slips()
    if slips:
        return Finding(Verdict.WARN, "settings", "; ".join(slips), "mend the name, or take it away")
    return Finding(Verdict.OK, "settings", "all are known")


def check_files(_settings: Settings, _folder: DataFolder) -> Finding:
    """Enough files may be open: each connection is one."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FEW_FILES:
        way_out = "raise the limit: LimitNOFILE= of systemd, or ulimit -n"
        return Finding(Verdict.WARN, "files", f"only {hard} may be open", way_out)
    return Finding(Verdict.OK, "files", "enough may be open")


CHECKS: tuple[Check, ...] = (
    check_settings, check_folder, check_disk, check_keys, check_database, check_secrets, check_blobs,
    check_tls, check_address, check_git, check_docker, check_clock, check_files,
)  # fmt: skip


def _is_served(folder: DataFolder) -> bool:
    """True while a server uses the folder."""
    if not folder.lock.exists():
        return False
    try:
        with FolderLock(folder):
            return False
    except RefusedError:
        return True


def _find_existing(place: Path) -> Path:
    """The place, or the nearest above it that exists."""
    return next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())


def _find_file_system(place: Path) -> str:
    """The kind of file system a place is on, "" when it cannot be told."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    resolved = str(place.resolve())
    above = [
        (mount[1], mount[2])
        for mount in mounts
        if resolved == mount[1] or resolved.startswith(mount[1].rstrip("/") + "/")
    ]
    return max(above, key=lambda pair: len(pair[0]), default=("", ""))[1]
