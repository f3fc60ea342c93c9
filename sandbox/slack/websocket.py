"""A WebSocket's server end (RFC 6455): the handshake, and frames read from and written to one connection."""

import base64
import hashlib
import struct
import threading
from collections.abc import Iterator
from enum import IntEnum
from http import HTTPStatus
from io import BufferedIOBase

MAX_HEAD = 8_192  # bytes of a handshake
MAX_FRAME = 1 << 20  # bytes of one message
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_SHORT, _LONG = 126, 127  # RFC 6455, 5.2: the length follows in two bytes, in eight
_FIN, _MASKED = 0x80, 0x80


class WebSocketError(Exception):
    """The other end does not speak the protocol, or has gone."""


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def asked(reader: BufferedIOBase) -> tuple[str, dict[str, str]]:
    """Read a handshake: its target, and its headers by lower-case name. Raises: WebSocketError."""
    first, *lines = _head(reader)
    method, _, rest = first.partition(" ")
    if method != "GET":
        raise WebSocketError("a handshake is a GET")
    pairs = (line.partition(":") for line in lines)
    return rest.partition(" ")[0], {name.strip().lower(): value.strip() for name, _, value in pairs}


def _head(reader: BufferedIOBase) -> list[str]:
    lines, size = [], 0
    while line := reader.readline(MAX_HEAD):
        size += len(line)
        if size > MAX_HEAD:
            raise WebSocketError("the handshake is too long")
        if not line.strip():
            break
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    if not lines:
        raise WebSocketError("nothing was asked")
    return lines


def accepted(headers: dict[str, str]) -> bytes:
    """Return the answer to a handshake. Raises: WebSocketError."""
    key = headers.get("sec-websocket-key", "")
    is_upgrade = headers.get("upgrade", "").lower() == "websocket"
    if not (is_upgrade and key and headers.get("sec-websocket-version") == "13"):
        raise WebSocketError("this is no WebSocket handshake of version 13")
    proof = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest())
    lines = (
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + proof,
    )
    return b"\r\n".join([*lines, b"", b""])


def refusal(status: HTTPStatus) -> bytes:
    """Return the answer to a handshake that is not taken."""
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )


class Frames:
    """Reads and writes the frames of one connection; several threads may write."""

    def __init__(self, reader: BufferedIOBase, writer: BufferedIOBase) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, opcode: Opcode, content: bytes = b"") -> None:
        """Write one frame; a server does not mask. Raises: WebSocketError."""
        size = len(content)
        if size < _SHORT:
            length = bytes([size])
        elif size < 1 << 16:
            length = bytes([_SHORT]) + struct.pack("!H", size)
        else:
            length = bytes([_LONG]) + struct.pack("!Q", size)
        try:
            with self._lock:
                self._writer.write(bytes([_FIN | opcode]) + length + content)
                self._writer.flush()
        except (OSError, ValueError) as error:  # a closed file says ValueError
            raise WebSocketError("the connection is gone") from error

    def texts(self) -> Iterator[str]:
        """Yield each text until the other end closes; answer its pings. Raises: WebSocketError."""
        parts: list[bytes] = []
        while True:
            is_last, opcode, content = self._frame()
            match opcode:
                case Opcode.CLOSE:
                    self.send(Opcode.CLOSE, content[:2])
                    return
                case Opcode.PING:
                    self.send(Opcode.PONG, content)
                case Opcode.PONG:
                    pass
                case Opcode.BINARY:
                    raise WebSocketError("binary frames mean nothing here")
                case Opcode.TEXT | Opcode.CONTINUATION:
                    parts.append(content)
                    if sum(map(len, parts)) > MAX_FRAME:
                        raise WebSocketError("the message is too long")
                    if is_last:
                        yield _decoded(b"".join(parts))
                        parts.clear()

    def _frame(self) -> tuple[bool, Opcode, bytes]:
        first, second = self._exactly(2)
        size = second & ~_MASKED
        if size == _SHORT:
            (size,) = struct.unpack("!H", self._exactly(2))
        elif size == _LONG:
            (size,) = struct.unpack("!Q", self._exactly(8))
        if not second & _MASKED or size > MAX_FRAME:
            raise WebSocketError("a client masks its frames, and keeps them small")
        mask = self._exactly(4)
        content = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self._exactly(size)))
        try:
            return bool(first & _FIN), Opcode(first & 0x0F), content
        except ValueError as error:
            raise WebSocketError("there is no such frame") from error

    def _exactly(self, size: int) -> bytes:
        try:
            found = self._reader.read(size)
        except (OSError, ValueError) as error:
            raise WebSocketError("the connection is gone") from error
        if len(found) < size:
            raise WebSocketError("the connection is gone")
        return found


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise WebSocketError("a text is UTF-8") from error
