"""Strings that mean harm, each with one place where an order in it would leave its mark: tags, reasons, files."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

_ORDERS = (
    "$(touch {mark})",
    "`touch {mark}`",
    "; touch {mark} ;",
    "| touch {mark}",
    "\ntouch {mark}\n",
    "--upload-pack=touch {mark}",
    "--exec=touch {mark}",
    "--output={mark}",
    "-c core.sshCommand=touch\\ {mark}",
    "ext::sh -c touch% {mark}",
    "file://{mark}",
    "!!python/object/apply:os.system ['touch {mark}']",
    "{{{{ lipsum.__globals__['os'].popen('touch {mark}') }}}}",
    "${{jndi:ldap://127.0.0.1/{mark}}}",
)
_MENTIONS = (
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<@U0ADA>",
    "<#C0DEPLOYS>",
    "<!subteam^S0ONCALL>",
    "@channel",
)
_LINKS = (
    "<https://evil.example|click>",
    "https://evil.example/login",
    "[x](https://evil.example)",
    "*bold* _it_ ~no~",
)
_TRAILERS = (
    "fine\n\nApproved-By: eve (github:eve/1) 2026-11-20T14:28:03Z",
    "Approved-By: eve",
    "x\nLedger: 0000000000000000000000000000000000000000",
    "x\r\nPromotion: ffffffffffff",
    "fine\u2028Approved-By: eve",
    "fine\x85Approved-By: eve",
)
_ODD = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe",
    "\u0430dmin",  # a Cyrillic letter that looks like one of ours
    "\ufeff",
    "\ud800",
    "\U0001f4a9" * 80,
    "a" * 300,
    "a" * 20_000,
    "..",
    "../../../../etc/passwd",
    "/etc/passwd",
    "%2e%2e%2f",
    "a..b",
    "a.lock",
    "-",
    "--",
    "-D",
    "@{-1}",
    "HEAD",
    "refs/heads/main",
    "a/b",
    "a\\b",
    "*",
    "null",
    "no",
    "1e3",
    "1.10",
    "9999.0.0",
    "' OR 1=1; DROP TABLE entries; --",
    "<script>alert(1)</script>",
    "{}",
    "[]",
    "&amp;&lt;",
    "%s%n%d",
)


def strings(mark: Path) -> list[str]:
    """Return strings for any place that takes text; an order in them would make the file ``mark``."""
    orders = [one.format(mark=mark) for one in _ORDERS]
    return [*orders, *_MENTIONS, *_LINKS, *_TRAILERS, *_ODD]


def tags(mark: Path) -> list[str]:
    """Return names for tags: each harm alone, and as the end of a version that the rules would take."""
    bare = strings(mark)
    ends = (
        f"{first}{joint}{one}" for first, joint, one in product(("1.99.0", "v1.99.0"), ("-", "+", "."), bare)
    )
    return [*bare, *ends]


def reasons(mark: Path) -> list[str]:
    """Return what people may give as a reason."""
    return [*strings(mark), *(f"because {one} and so on" for one in strings(mark))]


def arguments(mark: Path) -> list[str]:
    """Return what must never reach git as anything but a value."""
    verbs = (
        "--help",
        "--exec-path",
        "--git-dir=/",
        "--work-tree=/",
        "-C/",
        "--namespace=x",
        "--config-env=a=b",
        "-h",
        "+main",
    )
    return [
        *strings(mark),
        *verbs,
        *(f"{one}:{one}" for one in verbs),
        "main:refs/heads/evil",
        ":main",
        "main..",
        "^main",
    ]


def manifests(mark: Path) -> Iterator[bytes]:
    """Yield files that stand where manifests do."""
    image = "ghcr.io/example/web"
    for one in strings(mark):
        text = one.encode("utf-8", "surrogatepass")
        yield b"images:\n  - name: ghcr.io/example/web\n    newTag: " + text + b"\n"
        yield (
            b"kind: Deployment\nspec:\n  template: {spec: {containers: [{name: a, image: '"
            + text
            + b"'}]}}\n"
        )
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{'bcdefghi'[i]}: &{'bcdefghi'[i]} [{','.join(['*' + 'abcdefghi'[i]] * 9)}]\n" for i in range(8)
    )
    yield bomb.encode()
    yield b"[" * 100_000
    yield b"{" * 100_000
    yield b"a: " * 5_000
    yield b"- " * 50_000
    yield b"\xff\xfe\x00\x00images:"
    yield b"\x00" * 10_000
    yield f"images: [{{name: {image}, newTag: 1.0.0}}]\nimages: [{{name: {image}, newTag: 2.0.0}}]\n".encode()
    yield b"&a [*a]\n"
    yield b"images: &x\n  - *x\n"
    yield b"? !!binary x\n: !!set {a, b}\n--- !!omap\n- a: b\n...\n%YAML 9.9\n---\n"
    yield b"images:\n\t- name: x\n"
    yield b"'unclosed\n" * 1_000
    yield b'"\\x41\\uD800"\n'
    yield b"a: !!int 99999999999999999999999999999999999999999999\n" * 50


def rules(mark: Path) -> Iterator[bytes]:
    """Yield rule files."""
    frame = "environments:\n  {e}: {{path: {p}, channel: {c}, approvals: {a}}}\n"
    frame += "services:\n  {s}: {{image: {i}, versions: {v}}}\n"
    right = {
        "e": "staging",
        "p": "apps/staging",
        "c": "deploys",
        "a": "none",
        "s": "web",
        "i": "ghcr.io/example/web",
        "v": "1.x",
    }
    for key, one in product(right, strings(mark)):
        quoted = "'" + one.replace("'", "''") + "'"
        yield frame.format(**right | {key: quoted}).encode("utf-8", "surrogatepass")
    for pattern in (
        "(a+)+$",
        "(a|aa)+$",
        "(?P<x>.*)*",
        "(?=a)b",
        "(a)\\1",
        "[",
        "a{1000}{1000}",
        "(" * 2_000,
    ):
        yield frame.format(**right | {"v": f"{{alphabetical: asc, tags: '{pattern}'}}"}).encode()
    for span in ("99999999999999h", "-1h", "1h1h1h", "NaN", "1e9d"):
        yield (frame.format(**right) + f"x-soak: {span}\n").replace("none}", f"none, soak: {span}}}").encode()
    yield from manifests(mark)
