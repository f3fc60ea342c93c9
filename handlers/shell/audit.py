"""What an auditor runs: ``evidence`` and ``ledger export``. A clone or its address is enough."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot import assembly
from bot.chains.chain import Chain
from bot.dossier import dossiers
from bot.promoting.desk import Desk
from bot.scheduler import SystemClock
from bot.settings import Settings
from bot.verify import Report, verify
from handlers.shell import evidence_pages as pages
from handlers.shell.export import export_csv, export_json
from handlers.shell.terminal import (
    FINDINGS,
    FINE,
    UseError,
    patience,
    print_json,
    print_lines,
    print_text,
    tell,
)
from policies.entries.entry import EntryError, parse_time, write_time
from policies.ledger.order import Between
from policies.ledger.population import Change, population
from policies.ledger.sample import sample

SAMPLE = 0
_DAY = timedelta(days=1)

Repository = Annotated[
    str,
    typer.Argument(metavar="[REPOSITORY]", help="A clone or its address; else COUNTERSIGN_REPOSITORY."),
]
From = Annotated[str, typer.Option("--from", metavar="DATE", help="First day, in UTC: 2026-01-01.")]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, included.")]
SettingsOf = Callable[[typer.Context, str], Settings]


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days in UTC: from the first instant of the first to the last instant of the last."""

    first: str
    last: str

    @classmethod
    def parse(cls, first: str, last: str) -> "Days":
        """Read two days. Raises: UseError."""
        begins, ends = _instant("--from", first), _instant("--to", last)
        if begins > ends:
            raise UseError(f"--from is {first}, after --to {last}; expected the earlier day first")
        return cls(first, last)

    def has(self, change: Change) -> bool:
        """Whether a change came to what it came to on one of these days; in doubt it may have."""
        return self.meets(change.at, change.between)

    def meets(self, at: str, between: Between | None) -> bool:
        """Whether something is of these days by its own time, or may be by its place, where that is another."""
        first, end = f"{self.first}T00:00:00Z", write_time(parse_time(f"{self.last}T00:00:00Z") + _DAY)
        return first <= at < end or (between is not None and between.meets(first, end))


def _instant(name: str, text: str) -> str:
    try:
        parse_time(f"{text}T00:00:00Z")
    except EntryError as error:
        raise UseError(f"{name} is {text[:40]!r}; expected a day as 2026-11-23") from error
    return text


def register(app: typer.Typer, ledger: typer.Typer, settings: SettingsOf) -> None:
    """Add the commands to the command line; ``settings`` reads them, about the repository that is named."""

    @app.command()
    def evidence(
        context: typer.Context,
        repository: Repository = "",
        *,
        first: From,
        last: To,
        size: Annotated[
            int, typer.Option("--sample", metavar="N", min=0, help="Pages of N moves; 0 = all.")
        ] = SAMPLE,
        seed: Annotated[
            str, typer.Option("--seed", metavar="S", help="What the sample is drawn with.")
        ] = "1",
        out: Annotated[str, typer.Option("--out", metavar="DIR", help="Where the pages go.")] = "",
    ) -> int:
        """Write one page for each change and an index with the whole population, for an auditor."""
        days = Days.parse(first, last)
        if not seed.isascii() or not seed.isalnum():
            raise UseError(f"--seed is {seed[:40]!r}; expected letters and digits")
        folder = Path(out or f"evidence-{first}-{last}")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UseError(f"{folder} is there already; expected a folder that is empty or not there")
        with patience("reading the ledger"):
            desk, report = _read(settings(context, repository))
            if (chain := report.chain) is None:
                return _told(report)
            everything = _everything(chain, report, days)
            chosen = sample(everything, size, seed)
            findings = tuple(map(str, report.findings))
            what = pages.Range(first, last, size, seed, chain.year, chain.state.tip, findings)
            folder.mkdir(parents=True, exist_ok=True)
            for found in dossiers(chain, desk.mirror, desk.book, chosen):
                _write(folder / pages.name_of(found.change), pages.change_page(what, found))
            changed = [
                one for one in report.rulings if one.entry is None or days.meets(one.entry.at, one.between)
            ]
            _write(folder / "index.html", pages.index(what, everything, chosen, changed))
        print_lines([f"{len(everything)} changes, {len(chosen)} pages in {folder}"])
        return _told(report)

    @ledger.command()
    def export(
        context: typer.Context,
        repository: Repository = "",
        *,
        as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print JSON; its schema names its version.")
        ] = False,
        first: From = "",
        last: To = "",
    ) -> int:
        """Print one row for each change: what, who, when, under which rule, and what became of it."""
        if as_csv == as_json:
            raise UseError("expected one of --csv and --json")
        days = Days.parse(first or "0001-01-01", last or "9999-12-30")
        with patience("reading the ledger"):
            _, report = _read(settings(context, repository))
        if (chain := report.chain) is None:
            return _told(report)
        rows = _everything(chain, report, days)
        if as_csv:
            print_text(export_csv(rows))
        else:
            print_json(export_json(chain.year, chain.state.tip, rows, findings=len(report.findings)))
        return _told(report)


def _read(settings: Settings) -> tuple[Desk, Report]:
    """Read the ledgers of all years as one, and hold the target branch against them."""
    desk = assembly.open_desk(settings)
    return desk, held(desk, settings)


def held(desk: Desk, settings: Settings, since: str = "", ends: Mapping[str, str] | None = None) -> Report:
    """Re-perform the ledger as of now; ``ends`` beside those of the second remote, ``since`` as ``verify`` has it."""
    return verify(
        desk.mirror,
        desk.book,
        folder=settings.rules,
        since=since,
        ends={**(ends or {}), **second_ends(desk)},
        now=SystemClock().now(),
        progress=tell,
    )


def second_ends(desk: Desk) -> dict[str, str]:
    """Return where the second remote's ledgers end, if there is one, by who says so."""
    found = desk.ledger.second.ends() if desk.ledger.second else {}
    return {f"the second remote ({year})": oid for year, oid in found.items()}


def _everything(chain: Chain, report: Report, days: Days) -> list[Change]:
    """Return the changes of these days: those that entries tell of, then moves that none does."""
    told = population(chain.state, chain.shown, report.off)
    return [one for one in (*told, *report.unrecorded) if days.has(one)]


def _told(report: Report) -> int:
    """Say on stderr how much ``verify`` finds; of a ledger that is not there, which commit names one."""
    if report.chain is None:
        for one in report.findings:
            tell(str(one))
    if not report.findings:
        return FINE
    counts = Counter(one.what for one in report.findings)
    said = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    total = len(report.findings)
    tell(f"{total} finding{'' if total == 1 else 's'} of verify ({said}); run `countersign verify`")
    return FINDINGS


def _write(path: Path, content: str) -> None:
    path.write_text(content, "utf-8", newline="\n")
