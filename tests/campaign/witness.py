"""Somebody who checks a repository from a clone alone, as an auditor would, again and again."""

from pathlib import Path

from bot.chains.chain import Chain, Fault
from bot.ledger import Ledger
from bot.looking.book import Book
from bot.repository.mirror import Mirror
from bot.signing import Signer
from bot.verify import Report, verify
from tests.campaign.spared import heads_of


class Witness:
    """Reads a repository with the bot's own parts on a disk of its own, and remembers what it has seen."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self._repository = repository
        self._mirror = Mirror.open(str(repository), folder, branch="main")
        self._ledger = Ledger(self._mirror, Signer.generate(), Book(self._mirror, "promotion"))
        self._chain: Chain | None = None
        self._seen: list[str] | None = None
        self._folder = folder
        self._audits = 0
        self.heard = 0  # messages that were held against the ledger
        self.signed: set[tuple[str, str]] = set()  # entries whose signature was looked at, under which key
        self.compared: set[str] = set()  # entries whose landing commits were
        self.ends: set[str] = set()  # where the ledger has ended
        # indexes that were compared, and where they end
        self.indexed: set[tuple[str, tuple[str, ...]]] = set()
        self.is_tampered = False

    def chain(self) -> Chain:
        """Return the ledger as it stands now; nobody is asked where no branch has moved since."""
        ends = heads_of(self._repository)
        if self._chain is None or ends != self._seen:
            self._chain, self._seen = self._ledger.read(self._mirror.fetch()), ends
        return self._chain

    def faults(self) -> list[Fault]:
        """Return what is wrong with its entries."""
        return self.chain().faults

    def verify(self) -> Report:
        """Do what ``countersign verify`` does, with an empty disk."""
        self._audits += 1
        mirror = Mirror.open(
            str(self._repository), self._folder.with_name(f"audit-{self._audits}"), branch="main"
        )
        return verify(mirror, Book(mirror, "promotion"), folder="promotion")
