"""E-mail addresses of an organization's domains, as they are compared: small ASCII letters, or nobody's."""

import re
from collections.abc import Collection

_LOCAL = re.compile(
    r"[a-z0-9](?:[._-]?[a-z0-9])*", re.ASCII
)  # no sub-address (+), no quotes, no other alphabet
_LABEL = r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z]{{2,63}}", re.ASCII)
_MAX_LOCAL, _MAX_DOMAIN = 64, 253  # RFC 5321, section 4.5.3.1
# Where anybody gets an address: it says nothing of an organization. Their subdomains are refused with them.
_PUBLIC = frozenset(
    """
    126.com 163.com aol.com bk.ru duck.com fastmail.com fastmail.fm free.fr github.com gmail.com gmx.at
    gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr
    icloud.com inbox.ru laposte.net libero.it list.ru live.co.uk live.com mac.com mail.com mail.ru
    mailbox.org me.com msn.com naver.com orange.fr outlook.com outlook.de pm.me posteo.de proton.me
    protonmail.com qq.com rocketmail.com t-online.de tuta.com tutanota.com web.de yahoo.co.jp yahoo.co.uk
    yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com zoho.com
    """.split()  # noqa: SIM905  a list of fifty lines is no better to read
)


def is_domain(text: str) -> bool:
    """Whether it is the name of a mail domain, in small ASCII letters."""
    return len(text) <= _MAX_DOMAIN and _DOMAIN.fullmatch(text) is not None


def is_public(domain: str) -> bool:
    """Whether anybody can have an address there."""
    return any(domain == one or domain.endswith(f".{one}") for one in _PUBLIC)


def address_of(text: str, domains: Collection[str]) -> tuple[str, str] | None:
    """Return an address as it is compared, and its domain; nothing where it is none of exactly these domains.

    Letters are compared in small form, so that two accounts whose addresses differ by case alone are ambiguous.
    Sub-addresses (``ada+x``), quoted names and other alphabets belong to nobody.
    """
    local, at, domain = text.lower().partition("@") if text.isascii() else ("", "", "")
    if not at or domain not in domains or len(local) > _MAX_LOCAL or _LOCAL.fullmatch(local) is None:
        return None
    return f"{local}@{domain}", domain
