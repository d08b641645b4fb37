import pytest

from fakes import MemoryStore
from store.contract import StoreContract
from store.contract_catalogue import CatalogueContract


class TestMemoryStore(StoreContract, CatalogueContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
