from collections import Counter

from store.contract import DurableStoreContract


def test_no_promise_hides_another_of_the_same_name() -> None:
    names = Counter(
        name for part in DurableStoreContract.__mro__ for name in vars(part) if name.startswith("test")
    )
    assert [name for name, count in names.items() if count > 1] == []
