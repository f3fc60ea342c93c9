"""Whom a TLS connection trusts: what the rules name, else what this system trusts."""

import ssl
from pathlib import Path
from typing import Any

import pycurl

# Where systems keep their trusted certificates if the interpreter does not know: libcurl's wheel knows only the second.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # BSD, macOS
)


def _system_trust() -> tuple[int, str]:
    """Find the trusted certificates of this system as the interpreter does, else where systems keep them."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return pycurl.CAINFO, paths.cafile
    bundle = next((path for path in BUNDLES if Path(path).is_file()), "")
    return (pycurl.CAINFO, bundle) if bundle else (pycurl.CAPATH, paths.capath or "")


SYSTEM_TRUST = _system_trust()


def trust(curl: Any, ca: str) -> None:
    """Say whom to trust: the rule's ``ca``, a PEM file's path or its text, else whom this system trusts."""
    if "-----BEGIN CERTIFICATE-----" in ca:
        curl.setopt(pycurl.CAINFO_BLOB, ca.encode())
    elif ca:
        curl.setopt(pycurl.CAINFO, ca)
    else:
        option, path = SYSTEM_TRUST
        if path:
            curl.unsetopt(pycurl.CAINFO)
            curl.setopt(option, path)
