"""A page of HTML that needs nothing beside itself: every text of others is escaped, no script, no address is loaded."""

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import urlsplit

from policies.rulebook.findings import visible

# What a browser may do with the page: use the style that is in it, and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d1f23; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25rem .6rem;
border-bottom: 1px solid #d9dce1; } th { font-weight: 600; }
pre, code { font: 13px/1.45 ui-monospace, monospace; } pre { background: #f5f6f8; padding: .7rem; overflow-x: auto; }
ins { background: #e3f4e5; text-decoration: none; } del { background: #fbe5e3; text-decoration: none; }
.bad { color: #a4170c; font-weight: 600; } .dim { color: #62666d; }
@media print { body { max-width: none; } pre { white-space: pre-wrap; } }
"""


class Html(str):
    """A piece of HTML that is safe to put into a page; any other text is escaped there."""

    __slots__ = ()


def text(value: str) -> Html:
    """Escape a text; what would not show, or would turn the reading round, is spelled out."""
    return Html(escape(visible(value)))


def block(value: str) -> Html:
    """Escape a text of several lines."""
    return Html("\n".join(text(line.replace("\t", "    ")) for line in value.split("\n")))


def pre(value: Html | str) -> Html:
    """Return lines as they stand."""
    return Html(f"<pre>{_safe(value)}</pre>")


def code(value: str) -> Html:
    """Return an id or a command."""
    return Html(f"<code>{text(value)}</code>")


def link(address: str, name: str = "") -> Html:
    """Return a link to a web page; an address of another kind is only written."""
    try:
        is_web = urlsplit(address).scheme in {"http", "https"} and address.isprintable()
    except ValueError:
        is_web = False
    shown = text(name or address)
    return Html(f'<a href="{escape(address)}" rel="noreferrer">{shown}</a>') if is_web else shown


def local(file: str, name: str) -> Html:
    """Return a link to a page beside this one; the file's name is ours."""
    return Html(f'<a href="{escape(file)}">{text(name)}</a>')


def marked(value: str, mark: str) -> Html:
    """Return a text with a mark of the style sheet."""
    return Html(f'<span class="{mark}">{text(value)}</span>')


def facts(rows: Iterable[tuple[str, Html | str]]) -> Html:
    """Return names and values, one a line; without a value the line is left out."""
    lines = (f"<tr><th>{text(name)}</th><td>{_safe(value)}</td></tr>" for name, value in rows if value)
    return Html(f"<table>{''.join(lines)}</table>")


def table(head: Sequence[str], rows: Iterable[Sequence[Html | str]]) -> Html:
    """Return a table with a heading."""
    names = "".join(f"<th>{text(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{_safe(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return Html(f"<table><thead><tr>{names}</tr></thead><tbody>\n{lines}</tbody></table>")


def diff(value: str) -> Html:
    """Return a unified diff with what came and what went marked."""
    marks = {"+": "ins", "-": "del"}
    lines = []
    for line in value.split("\n"):
        mark = marks.get(line[:1]) if not line.startswith(("+++", "---")) else None
        shown = text(line.replace("\t", "    "))
        lines.append(f"<{mark}>{shown}</{mark}>" if mark else shown)
    return pre(Html("\n".join(lines)))


def page(title: str, parts: Iterable[Html]) -> str:
    """Return a whole page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join([f"<h1>{text(title)}</h1>", *parts])
        + "\n</body>\n</html>\n"
    )


def section(title: str, *parts: Html) -> Html:
    """Return a heading and what is below it."""
    return Html("\n".join([f"<h2>{text(title)}</h2>", *parts]))


def paragraph(*parts: Html | str) -> Html:
    """Return one paragraph."""
    return Html(f"<p>{''.join(_safe(one) for one in parts)}</p>")


def _safe(value: Html | str) -> Html:
    return value if isinstance(value, Html) else text(value)
