"""Several processes write to one ledger at the same time, while answers are destroyed: nothing lost, nothing twice."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.bot.ledger_worlds import world
from tests.campaign.reading import Reading

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Contention:
    """What it came to. ``seconds`` of each acknowledged entry, shortest first."""

    wanted: int
    tried: int  # fewer, where the time was over
    told: int
    lost: int
    doubled: int
    strays: int  # recorded, though nobody was told so
    is_one_line: bool
    faults: tuple[str, ...]
    seconds: tuple[float, ...]

    def at(self, share: float) -> float:
        """Return the seconds within which this share was recorded."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))]


def contend(
    folder: Path, *, writers: int, entries: int, batch: int = 1, seed: int = 1, seconds: float = 3_600
) -> Contention:
    """Let so many processes write so many entries, up to ``batch`` of them in a push, for so long at most."""
    found = world(folder)
    key = folder / "key"
    key.write_text(found.signer.to_openssh(), "utf-8")
    each = max(1, entries // writers)
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.campaign.writer", str(found.remote)),
                *(
                    str(folder / f"writer-{number}"),
                    str(key),
                    f"w{number}",
                    str(each),
                    str(batch),
                    str(seed + number),
                    str(seconds),
                ),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        for number in range(writers)
    ]
    tried, told = 0, dict[str, float]()
    for process in processes:
        out, _ = process.communicate()
        assert process.returncode == 0
        count, some = json.loads(out)
        tried, told = tried + count, told | some
    chain = found.desk.ledger.read(found.desk.mirror.fetch())
    lines = Reading(found.remote).ledger()
    keys = Counter(line.key for line in lines)
    mine = [line for line in lines if line.kind == "seen" and "-w" in str(line["seen"][0]["tag"])]
    return Contention(
        wanted=each * writers,
        tried=tried,
        told=len(told),
        lost=sum(1 for one in told if one not in keys),
        doubled=sum(count - 1 for count in keys.values()),
        strays=len(mine) - len(told),
        is_one_line=all(line["seq"] == index for index, line in enumerate(lines, start=1))
        and all(line.commit.parents == [lines[index].commit.oid] for index, line in enumerate(lines[1:])),
        faults=tuple(map(str, chain.faults)),
        seconds=tuple(sorted(told.values())),
    )
