"""What must be true: after a fault, and in the end."""

import json
import random
import time
import urllib.error
import urllib.request

from journeys.consume.consuming import store_holds
from soaking.listeners import Ledger, Listener
from soaking.parts import System
from soundalike.app.backends import open_store
from soundalike.domain.errors import SoundalikeError

FOLDED_WITHIN_S = 180.0
_PAUSE_S = 0.25


def probe(system: System) -> str:
    """Return what is not well, or nothing: both web processes answer, and events are taken and folded."""
    for web in system.webs:
        try:
            with urllib.request.urlopen(f"{web}/healthz", timeout=5) as answer:  # noqa: S310 - our own
                health = json.load(answer)
        except (OSError, ValueError) as error:
            time.sleep(_PAUSE_S)
            return f"{web} does not answer well: {error}"
        events = health["events"]
        if not (events["is_up"] and events["is_consumed"]):
            time.sleep(_PAUSE_S)
            return f"{web} says: {events['detail']}"
        prober = Listener(system, Ledger(), 0, random.Random(0))  # noqa: S311 - nothing is drawn
        status, body = prober.request("GET", "/api/recommendations?limit=1")
        if status != 200:  # noqa: PLR2004 - HTTP's own
            time.sleep(_PAUSE_S)
            return f"recommendations were answered with {status}: {body}"
    return ""


def check_store(system: System, ledger: Ledger) -> list[str]:
    """Return what is stored or folded otherwise than it was acknowledged."""
    listens = [listen for of_user in ledger.listens.values() for listen in of_user.values()]
    deadline = time.monotonic() + FOLDED_WITHIN_S
    while time.monotonic() < deadline:
        try:
            with open_store(system.store) as store:
                if store_holds(store, listens):
                    return []
        except SoundalikeError as error:
            print(f"  the store is asked again: {error}")
        time.sleep(1)
    return list(_differences(system, ledger))


def _differences(system: System, ledger: Ledger) -> list[str]:
    found = []
    with open_store(system.store) as store:
        for user_id, acknowledged in ledger.listens.items():
            stored = [listen.id for listen in store.listens_of(user_id)]
            lost = len(acknowledged.keys() - set(stored))
            more = len(set(stored) - acknowledged.keys())
            twice = len(stored) - len(set(stored))
            if lost or more or twice:
                found.append(f"{user_id}: {lost} lost, {more} never acknowledged, {twice} twice")
    return found or ["a profile is not what its listens make"]
