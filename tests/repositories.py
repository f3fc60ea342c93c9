"""Real repositories for tests: bare, made from dicts of files, read at any commit; and keys."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.signing import Signer

# A path and its content; None deletes it; a Link is a symbolic link.
Files = Mapping[str, "bytes | str | Link | None"]
START = 1_760_000_000  # seconds since 1970 of the first commit; each next one is a minute later


class Link(str):
    """What a symbolic link points to."""

    __slots__ = ()


def git(
    repository: Path,
    *arguments: str,
    stdin: bytes = b"",
    check: bool = True,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run git on a repository with nothing of this machine's settings; return its output without the line end."""
    surroundings = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C",
    }
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        input=stdin,
        env={**surroundings, **(environment or {})},
        capture_output=True,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def make_bare(path: Path, history: Sequence[Files] = (), *, branch: str = "main") -> Path:
    """Make a bare repository whose ``branch`` has one commit for each dict of files; HEAD names it."""
    path.mkdir(parents=True)
    git(path, "init", "--bare", "--quiet", f"--initial-branch={branch}")
    for number, files in enumerate(history, start=1):
        commit_to(path, files, branch=branch, message=f"Commit {number}\n")
    return path


def commit_to(
    repository: Path,
    files: Files,
    *,
    branch: str = "main",
    message: str = "Change by hand\n",
    author: str = "Ada <ada@example.com>",
    parents: Sequence[str] | None = None,
) -> str:
    """Commit files on top of a branch (or of ``parents``; empty: an orphan) and return the new commit's id."""
    before = git(repository, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False)
    chosen = list(parents) if parents is not None else [before] if before else []
    at = START + 60 * int(git(repository, "rev-list", "--all", "--count"))
    lines = [f"commit refs/heads/{branch}\n".encode()]
    lines += [f"{role} {author} {at} +0000\n".encode() for role in ("author", "committer")]
    lines.append(_said(message.encode()))
    lines += [f"{word} {oid}\n".encode() for word, oid in zip(_words(), chosen, strict=False)]
    if not chosen and before:
        lines.insert(0, f"reset refs/heads/{branch}\n".encode())
    for name, content in files.items():
        lines.append(_change(name, content))
    git(repository, "fast-import", "--quiet", "--force", stdin=b"".join(lines))
    return tip(repository, branch)


def tip(repository: Path, branch: str = "main") -> str:
    """Return where a branch ends, '' where it is not there."""
    return git(repository, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", check=False)


def read_file(repository: Path, path: str, *, commit: str = "main") -> str:
    """Return the content of one file at a commit."""
    return _content(repository, commit, path)


def read_files(repository: Path, *, commit: str = "main") -> dict[str, str]:
    """Return all files at a commit: path and content, as it stands."""
    names = git(repository, "ls-tree", "-r", "--name-only", "-z", "--full-tree", commit)
    return {name: _content(repository, commit, name) for name in names.split("\0") if name}


def log(repository: Path, branch: str = "main") -> list[str]:
    """Return the subjects of a branch, newest first."""
    return git(repository, "log", "--format=%s", f"refs/heads/{branch}").splitlines()


def hook(repository: Path, name: str, script: str) -> None:
    """Give a repository a hook: a shell script without its first line."""
    path = repository / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


def private_key() -> str:
    """Make a signing key and return it as OpenSSH writes it."""
    return Signer.generate().to_openssh()


def _words() -> list[str]:
    return ["from", *["merge"] * 15]


def _said(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _change(path: str, content: "bytes | str | Link | None") -> bytes:
    if content is None:
        return f"D {path}\n".encode()
    mode = "120000" if isinstance(content, Link) else "100644"
    raw = content if isinstance(content, bytes) else content.encode()
    return f"M {mode} inline {path}\n".encode() + _said(raw)


def _content(repository: Path, commit: str, path: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "blob", f"{commit}:{path}"],
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("utf-8", "surrogateescape")
