"""Checksums stay what they were: what was copied years ago is compared with what is stored today."""

from fakes import MemoryStore
from filled_store import checksums_of, fill
from soundalike.services.entities import ENTITIES

CHECKSUMS = {
    "accounts": (2, "eda2b541e03ad93235a6df6d2a42c65ecd6c7d815a500d5663b7096313896360"),
    "tokens": (3, "731b2a834180f97d2124d569e7580f28c1603c5a561aae237062b1648ddcd58b"),
    "tracks": (40, "e277aad4889d648d34ff5db9b9abd546d6609baf939e1fa3957d60b7a84eb186"),
    "vectors": (52, "f6d9dc1f6e6afa780ecaf62fc7df02103d5e53821a89c9012897663670c3a6a5"),
    "problems": (11, "702fb3082c41baef32f8c285d7043bc59a8ce9cfb1d92f4732be2a05bc6ded54"),
    "erasures": (2, "2679d49d73ad3c1712866d811aba51de49b295e2c74e84972d463e61e722e4bd"),
    "listens": (120, "84c503fe6dbbc62c214b92a01cd2328db86160d5b9e1fac54d2467a61aa46cf9"),
    "profiles": (2, "57d729fd0eb7842a2316e72a556c95f63d54e42fcf5c6ab8169a588cf44e1d3e"),
    "roots": (2, "2342adf9db1b12b903f1639551ad23add012e3629b4ac7c6a47620508bf4eca3"),
}


def test_the_checksums_of_a_store_do_not_change_from_version_to_version() -> None:
    store = MemoryStore()
    fill(store)
    assert checksums_of(store) == CHECKSUMS


def test_kinds_are_reported_in_the_order_in_which_they_are_copied() -> None:
    assert [kind for entity in ENTITIES for kind in entity.kinds] == list(CHECKSUMS)
