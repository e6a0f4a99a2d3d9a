"""Every test is hermetic: no hub, one thread, caches of its own."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepared data goes to one cache of this test session; nothing of the user's settings is read."""
    monkeypatch.setenv("QUATRAIN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("QUATRAIN_ALLOW", raising=False)
