"""Container images made from nothing: layers, configs, manifests and multi-arch indexes with their digests."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# OCI image specification, "Media Types"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

PLATFORMS = ("linux/amd64", "linux/arm64")


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with a media type, addressed by their digest."""

    media_type: str
    body: bytes

    @property
    def digest(self) -> str:
        """The content address: ``sha256:`` and 64 hexadecimal digits."""
        return "sha256:" + hashlib.sha256(self.body).hexdigest()

    def descriptor(self, **more: Any) -> dict[str, Any]:
        """Name this blob as manifests do (OCI image specification, "Descriptors")."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)} | more


@dataclass(frozen=True, slots=True)
class Image:
    """One image: what its tag names, and everything that hangs on it."""

    top: Blob
    manifests: Mapping[str, Blob]  # by platform
    blobs: Sequence[Blob] = field(default_factory=tuple)

    @property
    def digest(self) -> str:
        """The digest that a tag resolves to: the index's, where there is one."""
        return self.top.digest


def image(
    content: str,
    *,
    platforms: Sequence[str] = PLATFORMS,
    labels: Mapping[str, str] | None = None,
    created: str = "2026-01-01T00:00:00Z",
) -> Image:
    """Make a multi-arch image whose one file says ``content``: same arguments, same digests."""
    manifests: dict[str, Blob] = {}
    blobs: list[Blob] = []
    for platform in platforms:
        layer = _layer(f"{content}\n{platform}\n")
        config = _config(platform, layer, labels or {}, created)
        manifests[platform] = _manifest(config, layer)
        blobs += [config, layer]
    return Image(_index(manifests), manifests, tuple(blobs))


def single(content: str, *, platform: str = PLATFORMS[0], labels: Mapping[str, str] | None = None) -> Image:
    """Make an image for one platform, without an index: its tag names the manifest."""
    whole = image(content, platforms=[platform], labels=labels)
    return Image(whole.manifests[platform], whole.manifests, whole.blobs)


def _layer(content: str) -> Blob:
    """Pack one file into a layer. Nothing of the clock or the user goes in, so that digests can be repeated."""
    packed = io.BytesIO()
    body = content.encode()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("content.txt")
        entry.size = len(body)
        tar.addfile(entry, io.BytesIO(body))
    return Blob(LAYER, packed.getvalue())


def _config(platform: str, layer: Blob, labels: Mapping[str, str], created: str) -> Blob:
    return _json(
        CONFIG,
        {
            **_platform(platform),
            "created": created,
            "config": {"Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
        },
    )


def _manifest(config: Blob, layer: Blob) -> Blob:
    return _json(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
        },
    )


def _index(manifests: Mapping[str, Blob]) -> Blob:
    listed = [manifest.descriptor(platform=_platform(name)) for name, manifest in manifests.items()]
    return _json(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})


def _platform(name: str) -> dict[str, str]:
    system, _, architecture = name.partition("/")
    return {"os": system, "architecture": architecture}


def _json(media_type: str, value: Mapping[str, Any]) -> Blob:
    return Blob(media_type, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
