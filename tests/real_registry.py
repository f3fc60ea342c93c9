"""A real registry for tests: Debian's ``docker-registry`` on localhost, filled over its own API."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from sandbox.registry.images import Image

PROGRAM = "docker-registry"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
STARTS_WITHIN = 20.0  # seconds
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def require_real_registry() -> str:
    """Return the program's path; without it the test is skipped, or fails where real parts are demanded."""
    program = shutil.which(PROGRAM)
    if program is None and os.environ.get("COUNTERSIGN_TEST_REAL") == "1":
        pytest.fail(f"{PROGRAM} is not on PATH, and COUNTERSIGN_TEST_REAL=1 demands it")
    if program is None:
        pytest.skip(f"{PROGRAM} is not on PATH (Debian: apt-get install {PROGRAM})")
    return program


class RealRegistry:
    """A ``docker-registry`` process for as long as the context lasts; ``host`` is as rules write it."""

    def __init__(self, folder: Path) -> None:
        """Prepare a registry that keeps everything in ``folder``; skips where there is no program."""
        self._program = require_real_registry()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.host = f"localhost:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "config.yml"
        config.write_text(CONFIG.format(folder=json.dumps(str(self._folder / "storage")), port=self.port))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, "serve", str(config)], stdout=log, stderr=subprocess.STDOUT
            )
        give_up = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up:
                self.stop()
                pytest.fail(f"{PROGRAM} did not start: {(self._folder / 'log').read_text()[-500:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """End the process and wait for it; twice is once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def push_index(self, name: str, tag: str, content: str, *, created: str = "") -> str:
        """Push an image for two platforms under ``name:tag``; other content, other digest. Returns the index's.

        ``created``: when it was built, as its configurations say it.
        """
        manifests = [
            self._push_manifest(name, content, architecture, created) for architecture in ("amd64", "arm64")
        ]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        return str(self._put_manifest(name, tag, OCI_INDEX, index)["digest"])

    def push(self, name: str, tag: str, image: Image) -> None:
        """Push an image of the sandbox as it is, byte for byte."""
        for blob in image.blobs:
            self._push_blob(name, blob.media_type, blob.body)
        for one in (*image.manifests.values(), image.top):
            place = tag if one is image.top else one.digest
            self._ask("PUT", f"/v2/{name}/manifests/{place}", 201, one.body, one.media_type)

    def _push_manifest(self, name: str, content: str, architecture: str, created: str) -> dict[str, Any]:
        said = {"architecture": architecture, "os": "linux", "content": content}
        config = json.dumps(said | ({"created": created} if created else {})).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self._push_blob(name, OCI_CONFIG, config),
            "layers": [self._push_blob(name, OCI_LAYER, f"{architecture} {content}".encode())],
        }
        pushed = self._put_manifest(name, None, OCI_MANIFEST, manifest)
        return {**pushed, "platform": {"architecture": architecture, "os": "linux"}}

    def _push_blob(self, name: str, kind: str, blob: bytes) -> dict[str, Any]:
        digest = _digest(blob)
        _, headers = self._ask("POST", f"/v2/{name}/blobs/uploads/", 202)
        place = headers["Location"].partition(f":{self.port}")[2] or headers["Location"]
        joint = "&" if "?" in place else "?"
        self._ask("PUT", f"{place}{joint}digest={digest}", 201, blob, "application/octet-stream")
        return {"mediaType": kind, "digest": digest, "size": len(blob)}

    def _put_manifest(
        self, name: str, tag: str | None, kind: str, manifest: dict[str, Any]
    ) -> dict[str, Any]:
        body = json.dumps(manifest).encode()
        digest = _digest(body)
        self._ask("PUT", f"/v2/{name}/manifests/{tag or digest}", 201, body, kind)
        return {"mediaType": kind, "digest": digest, "size": len(body)}

    def _ask(
        self, method: str, place: str, expected: int, body: bytes = b"", kind: str = ""
    ) -> tuple[bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, place, body, {"Content-Type": kind} if kind else {})
            response = connection.getresponse()
            said = response.read()
        finally:
            connection.close()
        assert response.status == expected, f"{method} {place}: {response.status} {said[:300]!r}"
        return said, response.headers

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/v2/", 200)
        except OSError:
            return False
        return True


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
