"""Succession of models one of which cannot go on: it is never put into service, and harms nothing beside it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from surefoot.errors import ModelStateConflict, NotReady
from surefoot.profiles import load_profile
from surefoot.promotions import Promotions
from surefoot.registry import Registry, ServedModel
from surefoot.self_check import NOT_CHECKED
from surefoot.succession import Succession
from surefoot.wiring.fake_service import FakeParts, build_fake_service


class Succeeding:
    """prm with a candidate v2; `faults` are what is wrong with the models, by label."""

    def __init__(self, sound: ServedModel, promotions: Promotions) -> None:
        self.faults: dict[str | None, str] = {}
        self.proof = asyncio.Event()
        self.proof.set()
        self._sound = sound
        self.registry = Registry({"prm": self._first}, {"prm": "process"})
        self.succession = Succession(
            self.registry, {"prm": {"v2": self._candidate}}, {}, build_fake_service(FakeParts()).telemetry, promotions
        )

    @property
    def served(self) -> str:
        return self.registry.get("prm").card.fingerprint

    async def _first(self) -> ServedModel:
        return self._model(None)

    async def _candidate(self) -> ServedModel:
        return self._model("v2")

    def _model(self, label: str | None) -> ServedModel:
        async def prove():
            await self.proof.wait()
            return NOT_CHECKED

        card = replace(self._sound.card, fingerprint=label or "first")
        return replace(self._sound, card=card, prove=prove, fault=lambda: self.faults.get(label))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "promotions.json"


@pytest.fixture
async def prm(file):
    fake = build_fake_service(FakeParts(profiles={"prm": load_profile("embedded-prm")}))
    await fake.service.registry.load_all()
    opened = Succeeding(fake.service.registry.get("prm"), Promotions(file))
    await opened.registry.load_all()
    yield opened
    await fake.service.close()


async def test_a_candidate_that_cannot_score_is_not_promoted(prm) -> None:
    await prm.succession.load("prm", "v2")
    prm.faults["v2"] = "stuck"
    with pytest.raises(NotReady, match="stuck"):
        prm.succession.promote("prm")
    assert (prm.served, prm.succession.standing("prm").place.candidate.label) == ("first", "v2")


async def test_a_model_that_cannot_score_is_not_rolled_back_to(prm) -> None:
    await prm.succession.load("prm", "v2")
    prm.succession.promote("prm")
    prm.faults[None] = "stuck"
    with pytest.raises(NotReady, match="stuck"):
        prm.succession.roll_back("prm")
    assert prm.served == "v2"


async def test_what_stands_beside_ends_no_process(prm) -> None:
    await prm.succession.load("prm", "v2")
    prm.faults["v2"] = "stuck"
    assert (prm.registry.fault(), prm.registry.is_ready()) == (None, True)


async def test_what_was_promoted_is_watched(prm) -> None:
    await prm.succession.load("prm", "v2")
    prm.succession.promote("prm")
    prm.faults["v2"] = "stuck"
    assert prm.registry.fault() == "model prm is stuck"


async def test_what_was_replaced_is_watched_no_more(prm) -> None:
    await prm.succession.load("prm", "v2")
    prm.succession.promote("prm")
    prm.faults[None] = "stuck"
    assert (prm.registry.fault(), prm.registry.is_ready()) == (None, True)


async def test_a_stuck_model_is_replaced_by_a_promotion(prm) -> None:
    await prm.succession.load("prm", "v2")
    prm.faults[None] = "stuck"
    prm.succession.promote("prm")
    assert (prm.served, prm.registry.is_ready()) == ("v2", True)


async def test_nothing_is_promoted_before_it_is_proven(prm) -> None:
    prm.proof.clear()
    loading = asyncio.create_task(prm.succession.load("prm", "v2"))
    await asyncio.sleep(0)
    with pytest.raises(ModelStateConflict):
        prm.succession.promote("prm")
    prm.proof.set()
    await loading
    assert prm.succession.promote("prm").place.served_label == "v2"


async def test_a_load_that_is_cancelled_leaves_the_place_free(prm) -> None:
    prm.proof.clear()
    loading = asyncio.create_task(prm.succession.load("prm", "v2"))
    await asyncio.sleep(0)
    loading.cancel()
    await asyncio.wait([loading])
    place = prm.succession.standing("prm").place
    assert (place.loading, place.candidate) == (None, None)
    prm.proof.set()
    await prm.succession.load("prm", "v2")


async def test_a_load_that_outlasts_the_service_is_let_go_of(prm) -> None:
    prm.proof.clear()
    loading = asyncio.create_task(prm.succession.load("prm", "v2"))
    await asyncio.sleep(0)
    await prm.succession.close()
    prm.proof.set()
    with pytest.raises(NotReady):
        await loading
    assert prm.succession.standing("prm").place.candidate is None


async def test_a_promotion_is_kept_for_a_restart(prm, file) -> None:
    await prm.succession.load("prm", "v2")
    assert prm.succession.promote("prm").label_after_restart == Promotions(file).label("prm") == "v2"


async def test_a_rollback_is_kept_for_a_restart(prm, file) -> None:
    await prm.succession.load("prm", "v2")
    prm.succession.promote("prm")
    assert prm.succession.roll_back("prm").label_after_restart is None
    assert Promotions(file).label("prm") is None
