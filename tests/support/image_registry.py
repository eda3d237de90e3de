"""A registry of images on the loopback of a test's engine: the Registry API v2, Basic auth when asked for."""

import base64
import ctypes
import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class StoredImage(msgspec.Struct):
    """An image of one layer: blobs by digest, and the manifest that names them."""

    blobs: Mapping[str, bytes]
    manifest: bytes

    @property
    def digest(self) -> str:
        """What the image is called by its content."""
        return digest_of(self.manifest)


def digest_of(data: bytes) -> str:
    """As registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def make_stored_image(layer: bytes) -> StoredImage:
    """An image whose only layer is the (uncompressed) tar."""
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["FROM_REGISTRY=yes"]},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": digest_of(config)},
        "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": digest_of(layer)}],
    }
    return StoredImage({digest_of(each): each for each in (config, layer)}, json.dumps(manifest).encode())


class ImageRegistry:
    """Images by repository. `credentials` (`user:password`), when set, are wanted for everything."""

    def __init__(self, host: str, images: Mapping[str, StoredImage], credentials: str) -> None:
        self.host = host
        self.images = images
        self.credentials = credentials
        self.asked: list[str] = []

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Media type and content of a path; None when there is nothing."""
        if path == "/v2/":
            return "application/json", b"{}"
        repository, _, rest = path.removeprefix("/v2/").partition("/manifests/")
        if rest:
            image = self.images.get(repository)
            return (_MANIFEST, image.manifest) if image and rest in {"1", image.digest} else None
        repository, _, digest = path.removeprefix("/v2/").partition("/blobs/")
        data = self.images[repository].blobs.get(digest) if repository in self.images else None
        return ("application/octet-stream", data) if data is not None else None


class _Handler(BaseHTTPRequestHandler):
    registry: ImageRegistry
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:  # the names are those of the base class
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        registry = self.registry
        registry.asked.append(self.path)
        wanted = base64.b64encode(registry.credentials.encode()).decode()
        if registry.credentials and self.headers.get("Authorization") != f"Basic {wanted}":
            self._send(
                401, "application/json", _complain("UNAUTHORIZED", "authentication required"), body=body
            )
        elif (found := registry.find(self.path)) is not None:
            self._send(200, *found, body=body)
        else:
            self._send(404, "application/json", _complain("MANIFEST_UNKNOWN", "manifest unknown"), body=body)

    def _send(self, status: int, kind: str, data: bytes, *, body: bool) -> None:
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="images"')
        self.send_header("Docker-Content-Digest", digest_of(data))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _complain(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@contextmanager
def serve_images(
    images: Mapping[str, StoredImage], network: Path, *, credentials: str = ""
) -> Iterator[ImageRegistry]:
    """A registry that listens on the loopback of the network namespace."""
    listening = _listen_in(network)
    port = listening.getsockname()[1]
    registry = ImageRegistry(f"127.0.0.1:{port}", images, credentials)
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listen_in(network: Path) -> socket.socket:
    """A socket of another network namespace: a thread goes there, and ends."""
    made: list[socket.socket] = []

    def listen() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        there = os.open(network, os.O_RDONLY)
        assert libc.setns(there, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        os.close(there)
        made.append(socket.create_server(("127.0.0.1", 0)))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    (listening,) = made
    return listening
