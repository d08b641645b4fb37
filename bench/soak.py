"""Run the distributed program under load and faults, and hold its store against what was acknowledged.

20 listeners send events to two web processes; two consumers fold them from Kafka into a store that speaks
MongoDB's protocol. Meanwhile, drawn from a seed, parts are killed (kill -9) and started again, stopped for a
while (SIGSTOP), see their clock set an hour ahead or back, or find the disk of store and artefacts full.

In the end, everything that was acknowledged must be stored and folded, once, and nothing else; after each
fault all must be well again within 30 s. Memory and descriptors are sampled; in the second half the program's
processes are not killed any more, so that it shows whether they grow.

    python bench/soak.py [MINUTES] [--seed N] [--listeners N]
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from servers.kafka import missing_kafka
from servers.mongodb import missing_mongodb
from soaking.checks import check_store, probe
from soaking.faults import Faults
from soaking.listeners import Ledger, listening
from soaking.parts import System, missing_faketime
from soaking.samples import sampling

HEALED_WITHIN_S = 30.0
CANNOT_RUN = 77
"""The exit code where this machine lacks something; what is lost or not well is 1."""


def main() -> None:
    """Run for so many minutes, print what happened, and fail if anything was lost, doubled or not healed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("minutes", nargs="?", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--listeners", type=int, default=20)
    given = parser.parse_args()
    if missing := missing_kafka() or missing_mongodb() or missing_faketime():
        print(missing)
        sys.exit(CANNOT_RUN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that no server keeps running
    with tempfile.TemporaryDirectory(prefix="soundalike-soak-") as name, ExitStack() as stack:
        system = stack.enter_context(System.running(Path(name), listeners=given.listeners))
        ledger = Ledger()
        samples = stack.enter_context(sampling(system))
        listeners = stack.enter_context(listening(system, ledger, count=given.listeners, seed=given.seed))
        slow = run_faults(system, given.minutes, random.Random(given.seed))  # noqa: S311 - no secret is made
        listeners.send_the_rest()
        problems = [*slow, *ledger.problems, *check_store(system, ledger)]
        samples.report()
        print(f"{ledger.count:,} events acknowledged, {listeners.refused:,} answers that asked to wait")
        if problems:
            sys.exit("\n".join(["NOT WELL:", *problems[:20]]))
    print("nothing lost, nothing twice, each fault healed in time")


def run_faults(system: System, minutes: float, chance: random.Random) -> list[str]:
    """Cause one fault after another; end with the first that takes too long to heal, and return it."""
    faults = Faults(system, chance)
    problems = [healed(system, "the start")]
    start = time.monotonic()
    while not any(problems) and (gone_s := time.monotonic() - start) < 60 * minutes:
        problems.append(healed(system, faults.cause_next(kills=gone_s < 60 * minutes / 2)))
    return [problem for problem in problems if problem]


def healed(system: System, what: str) -> str:
    """Wait until all is well again; return what was not in time, or nothing."""
    start = time.monotonic()
    why = last = "it was not asked"
    while why and time.monotonic() < start + 4 * HEALED_WITHIN_S:
        system.restart_what_ended()
        why = probe(system)
        last = why or last
    took_s = time.monotonic() - start
    is_well = not why and took_s <= HEALED_WITHIN_S
    if why:
        system.print_logs()
    print(f"{what:38} {'healed' if not why else 'not healed'} after {took_s:5.1f} s; {last}", flush=True)
    return "" if is_well else f"{what}: not healed within {HEALED_WITHIN_S:.0f} s, but {took_s:.0f} s: {last}"


if __name__ == "__main__":
    main()
