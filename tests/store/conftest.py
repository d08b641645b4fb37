import pytest

for part in ("", "_accounts", "_copying", "_listens", "_profiles", "_search", "_tracks", "_vectors"):
    pytest.register_assert_rewrite(f"store.contract{part}")
pytest.register_assert_rewrite("store.asking")
