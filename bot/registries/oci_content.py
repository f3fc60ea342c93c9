"""One manifest or blob of a registry, without I/O: what is asked, and what the answer means."""

import hashlib
from dataclasses import dataclass

from bot.registries import oci
from bot.registries.oci import Endpoint, Request, Response
from policies.images.evidence import Silence, Silent
from policies.images.image import Repository

MAX_CONTENT = oci.MAX_MANIFEST  # bytes; configs and signatures are far smaller
_REFERRERS = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The registry keeps it at another address, which is asked without our login."""

    url: str


ContentAnswer = bytes | Elsewhere | Silence


class ContentAsked:
    """What stands below a repository: ``manifests/<tag or digest>``, ``blobs/<digest>`` or ``referrers/<digest>``."""

    def __init__(self, endpoint: Endpoint, repository: Repository, where: str) -> None:
        """Begin."""
        self.endpoint = endpoint
        self.path = repository.path
        self._where = where
        self._url = f"{endpoint.origin}/v2/{repository.path}/{where}"

    @property
    def request(self) -> Request:
        """Say what to ask."""
        kind = self._where.partition("/")[0]
        accept = {"manifests": oci.MANIFEST_TYPES, "referrers": _REFERRERS}.get(kind, "*/*")
        return Request(self._url, MAX_CONTENT, headers=(f"Accept: {accept}",))

    def hear(self, response: Response) -> ContentAnswer:
        """Take the answer in. What is named by its digest has to have that digest."""
        if response.status in oci.REDIRECTS and self._where.startswith("blobs/"):
            return Elsewhere(response.header("location"))
        if response.status == oci.NOT_FOUND:
            return self._silence(Silent.NO_SUCH_TAG, f"is not there ({response.error})")
        if response.status != oci.OK:
            return self._silence(Silent.INVALID, f"was answered with {response.error}")
        if not response.whole:
            return self._silence(Silent.INVALID, f"has more than {MAX_CONTENT} bytes")
        if checked(self._where, response.body) is None:
            return self._silence(Silent.INVALID, "is not what its digest says")
        return response.body

    def _silence(self, code: Silent, what: str) -> Silence:
        return Silence(code, f"{self.endpoint.host}: {self.path}/{self._where[:90]} {what}")


def checked(where: str, body: bytes) -> bytes | None:
    """Return a body, or nothing where its digest is not the one that it was asked by."""
    kind, _, reference = where.partition("/")
    is_named = reference.startswith("sha256:") and kind != "referrers"
    return body if not is_named or reference == f"sha256:{hashlib.sha256(body).hexdigest()}" else None
