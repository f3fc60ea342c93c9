"""``countersign set`` over 10,000 files with 500 markers: walking, reading, editing, proving, writing.

python -m bench.set_files [--rounds N]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bot.folder import Folder
from handlers.shell import set as setting
from policies.manifests.setters import latest

FILES, FOLDERS, MARKED = 10_000, 1_000, 500
TARGET_SECONDS = 0.3
JUDGED = frozenset({"screen, edit, prove", "all but the bare writing", "the same, CPU"})
PLAIN = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{number}
  labels: {{app: service-{number}, team: platform}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: service-{number}}}}}
  template:
    metadata: {{labels: {{app: service-{number}}}}}
    spec:
      containers:
        - name: main
          image: ghcr.io/example/service-{number}:1.0.0{marker}
          ports: [{{containerPort: 8080}}]
          env:
            - {{name: LOG_LEVEL, value: info}}
"""
MARKER = ' # {{"$imagepolicy": "shop:service-{number}"}}'


def make(root: Path) -> None:
    """Write the files; every twentieth has a marker."""
    for number in range(FILES):
        folder = root / f"team-{number % FOLDERS:04}"
        folder.mkdir(exist_ok=True)
        marker = MARKER.format(number=number) if number % (FILES // MARKED) == 0 else ""
        (folder / f"service-{number}.yaml").write_text(PLAIN.format(number=number, marker=marker), "utf-8")


def once(root: Path, version: int) -> dict[str, float]:
    """Set every marker to another version; returns seconds of wall clock by step, and the CPU of all."""
    wanted = {
        f"shop:service-{number}": latest(f"ghcr.io/example/service-{number}:1.0.{version}")
        for number in range(0, FILES, FILES // MARKED)
    }
    cpu, start = time.process_time(), time.perf_counter()
    folder, report = Folder.open(root), setting.Report()
    files = list(folder.files())
    read = time.perf_counter()
    for path, content, settled in setting.by_markers(wanted, files):
        report.add(path, content, settled)
    edited = time.perf_counter()
    for path, (before, after) in report.files.items():
        folder.write(path, before, after)
    written, cpu_written = time.perf_counter(), time.process_time()
    for path, (_, after) in report.files.items():
        replace(root / path, after)
    bare, cpu_bare = time.perf_counter() - written, time.process_time() - cpu_written
    if len(report.changes) != MARKED or report.problems:
        raise SystemExit(
            f"{len(report.changes)} changes, {len(report.problems)} problems; expected {MARKED}, 0"
        )
    return {
        "read 10,000 files": read - start,
        "screen, edit, prove": edited - read,
        "write 500": written - edited,
        "all": written - start,
        "bare: replace 500": bare,
        "all but the bare writing": written - start - bare,
        "the same, CPU": cpu_written - cpu - cpu_bare,
    }


def replace(path: Path, content: bytes) -> None:
    """Replace a file in one step and do nothing else: what the file system takes for it."""
    spare = path.with_name(f".{path.name}.tmp")
    spare.write_bytes(content)
    spare.replace(path)


def main() -> None:
    """Measure, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        make(Path(made))
        runs = [once(Path(made), version) for version in range(1, asked.rounds + 2)][1:]
    for name in runs[0]:
        times = [run[name] for run in runs]
        median = statistics.median(times)
        verdict = "met" if median <= TARGET_SECONDS else "MISSED"
        target = f"  target {TARGET_SECONDS:g} {verdict}" if name in JUDGED else ""
        print(f"{name:<26} {median:6.3f} s  [{min(times):.3f}-{max(times):.3f}]{target}")


if __name__ == "__main__":
    main()
