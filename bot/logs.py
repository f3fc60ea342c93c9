"""Logs for operators: one line each, ``key=value``, and nothing in them that looks like a secret."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from bot.repository.git import redact

_SECRETS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # RFC 7519
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"  # RFC 7468
    r"|(?:/services|/actions|/commands|/app)/T[A-Z0-9]+/[\w/-]{8,}",  # Slack's URLs that answer for anybody
    re.DOTALL | re.ASCII,
)
_NAMED = re.compile(
    r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{16,}"
    r"|\b([\w-]*(?:password|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]{12,}"
)
OURS = ("bot", "handlers", "countersign")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def redacted(text: str) -> str:
    """Take whatever looks like a token, a login or a key out of a text."""
    return _NAMED.sub(r"\1\2***", _SECRETS.sub("***", redact(text)))


class _Line(logging.Formatter):
    """One record, one line: time (UTC), level, where, what."""

    def __init__(self, *, is_debugging: bool) -> None:
        super().__init__()
        self._is_debugging = is_debugging

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        parts = {"at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z", "level": record.levelname}
        parts |= {"in": record.name, "said": record.getMessage()}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            parts["error"] = f"{type(error).__name__}: {error}"
            if self._is_debugging:
                parts["trace"] = self.formatException(record.exc_info)
        return " ".join(f"{key}={_value(redacted(value))}" for key, value in parts.items())


def _value(text: str) -> str:
    is_word = text.isascii() and text.isprintable() and text and not set(text) & set(' "=')
    return text if is_word else json.dumps(text)


class _Stderr(logging.Handler):
    """Write to what stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  as the standard library's handlers do: a log line stops nothing
            self.handleError(record)


def set_up(level: str, *, is_debugging: bool = False) -> None:
    """Log to stderr, ours from this level on; others' libraries from a warning on. Twice is once."""
    handler = _Stderr()
    handler.setFormatter(_Line(is_debugging=is_debugging))
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _Stderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for ours in OURS:
        logging.getLogger(ours).setLevel(level)
