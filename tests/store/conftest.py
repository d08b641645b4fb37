import pytest

for part in ("", "_search", "_tracks", "_vectors"):
    pytest.register_assert_rewrite(f"store.contract{part}")
pytest.register_assert_rewrite("store.asking")
