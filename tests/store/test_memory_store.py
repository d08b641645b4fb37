import pytest

from fakes import MemoryStore
from store.contract import StoreContract
from store.contract_record import LibraryRecordContract


class TestMemoryStore(StoreContract, LibraryRecordContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
