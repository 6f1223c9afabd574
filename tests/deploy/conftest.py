"""Every overlay, and every component on one, rendered once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.rendering import Rendered, every_variant, render

VARIANTS = ("cpu", "gpu", "large-model", "cpu with named replicas", "cpu with a volume")


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return dict(every_variant(tmp_path_factory.mktemp("overlays")))


@pytest.fixture(params=VARIANTS)
def rendered(request: pytest.FixtureRequest, variants: dict[str, Path]) -> Rendered:
    assert set(variants) == set(VARIANTS)
    return render(variants[request.param])


@pytest.fixture
def cpu(variants: dict[str, Path]) -> Rendered:
    return render(variants["cpu"])


@pytest.fixture
def gpu(variants: dict[str, Path]) -> Rendered:
    return render(variants["gpu"])


@pytest.fixture
def large(variants: dict[str, Path]) -> Rendered:
    return render(variants["large-model"])
