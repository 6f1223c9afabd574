"""Named models: loaded one after another, looked up by name or kind, reported by state."""

import asyncio
import logging
from dataclasses import replace

import pytest

from surefoot.errors import CheckpointMissing, ModelNotFound, NotReady, SelfCheckFailed, WrongModelKind
from surefoot.registry import ModelState, Registry
from surefoot.wiring.fake_service import FakeParts, build_fake_service


@pytest.fixture
async def open_registry():
    """Builds registries of the fake service's models; `loaded` ones have loaded."""
    registries = []

    async def build(*, loaded: bool = True, **parts) -> Registry:
        registry = build_fake_service(FakeParts(**parts)).service.registry
        registries.append(registry)
        if loaded:
            await registry.load_all()
        return registry

    yield build
    for registry in registries:
        await registry.close()


@pytest.fixture
async def registry(open_registry) -> Registry:
    return await open_registry()


async def test_a_model_is_found_by_name(registry) -> None:
    assert registry.get("orm").card.name == "orm"


@pytest.mark.parametrize(("kind", "name"), [(None, "prm"), ("process", "prm"), ("outcome", "orm")])
async def test_the_first_of_a_kind_is_its_default(registry, kind, name) -> None:
    assert registry.get(None, kind).card.name == name


async def test_an_unknown_name_is_not_found(registry) -> None:
    with pytest.raises(ModelNotFound, match="orm, prm, raw, reward") as raised:
        registry.get("other", param="outcome_model")
    assert raised.value.param == "outcome_model"


async def test_an_unknown_name_is_not_repeated(registry) -> None:
    with pytest.raises(ModelNotFound) as raised:
        registry.get("my secret")
    assert "my secret" not in raised.value.message


async def test_a_kind_that_nobody_has_is_not_found(open_registry, registry) -> None:
    profiles = {"prm": registry.get("prm").line.profile}
    with pytest.raises(ModelNotFound, match="no outcome model"):
        (await open_registry(profiles=profiles)).get(None, "outcome")


async def test_the_wrong_kind_is_refused(registry) -> None:
    with pytest.raises(WrongModelKind, match="outcome is needed"):
        registry.get("prm", "outcome")


async def test_a_model_that_has_not_loaded_is_not_ready(open_registry) -> None:
    with pytest.raises(NotReady, match="loading"):
        (await open_registry(loaded=False)).get("prm")


async def test_the_wrong_kind_is_said_before_not_ready(open_registry) -> None:
    with pytest.raises(WrongModelKind):
        (await open_registry(loaded=False)).get("prm", "outcome")


async def test_a_model_that_failed_says_why(open_registry) -> None:
    registry = await open_registry(broken={"orm": CheckpointMissing("there is none")})
    with pytest.raises(NotReady, match="failed: checkpoint_missing: there is none"):
        registry.get("orm")


async def test_the_others_load_after_a_failure(open_registry) -> None:
    registry = await open_registry(broken={"prm": RuntimeError("boom")})
    assert [card.name for card in registry.cards()] == ["orm", "reward", "raw"]


async def test_an_unexpected_failure_is_logged_and_not_told(open_registry, caplog) -> None:
    with caplog.at_level(logging.ERROR):
        registry = await open_registry(broken={"prm": RuntimeError("boom")})
    assert registry.states()["prm"] == ModelState("failed", "internal_error: RuntimeError")
    assert "boom" in caplog.text


async def test_ready_once_all_are_loaded(open_registry) -> None:
    registry = await open_registry(loaded=False)
    before = registry.is_ready()
    await registry.load_all()
    assert (before, registry.is_ready()) == (False, True)


async def test_not_ready_with_a_failure(open_registry) -> None:
    assert not (await open_registry(broken={"raw": RuntimeError()})).is_ready()


async def test_models_load_one_after_another(registry) -> None:
    running = 0
    most = 0

    async def load():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return registry.get("prm")

    await Registry({"a": load, "b": load}, {"a": "process", "b": "process"}).load_all()
    assert most == 1


async def test_a_closed_registry_serves_nothing(registry) -> None:
    await registry.close()
    with pytest.raises(NotReady):
        registry.get("prm")


async def test_closing_twice_closes_each_model_once(registry) -> None:
    await registry.close()
    await registry.close()
    assert registry.cards() == []


async def test_the_card_says_what_the_proof_gave(open_registry) -> None:
    proof = (await open_registry(proves=True)).get("prm").card.self_check
    assert (proof.state, proof.against, proof.max_difference) == ("passed", "plain_forward", 0.0)


async def test_a_model_is_loading_until_it_is_proven(registry) -> None:
    model = registry.get("prm")
    during: list[str] = []

    async def load():
        return replace(model, prove=prove)

    async def prove():
        during.append(proving.states()["a"].state)
        return model.card.self_check

    proving = Registry({"a": load}, {"a": "process"})
    await proving.load_all()
    assert (during, proving.states()["a"].state) == (["loading"], "ready")


async def test_a_model_that_fails_its_proof_says_why(registry) -> None:
    refused, _ = await refused_registry(registry)
    assert refused.states()["a"] == ModelState("failed", "self_check_failed: served 1, pinned is 2")


async def test_a_model_that_fails_its_proof_is_closed_with_the_others(registry) -> None:
    refused, closed = await refused_registry(registry)
    await refused.close()
    assert closed == ["a"]


async def refused_registry(registry: Registry) -> tuple[Registry, list[str]]:
    """One whose model fails its proof, and the names of what was closed."""
    closed: list[str] = []

    async def prove():
        raise SelfCheckFailed("served 1, pinned is 2")

    async def close():
        closed.append("a")

    async def load():
        return replace(registry.get("prm"), prove=prove, close=close)

    refused = Registry({"a": load}, {"a": "process"})
    await refused.load_all()
    return refused, closed


@pytest.fixture
async def faulty(registry):
    """A registry of `a`, which has the fault in the list, and `b`, which has none."""
    faults: list[str] = []

    async def load_faulty():
        return replace(registry.get("prm"), fault=lambda: faults[0] if faults else None)

    async def load_sound():
        return registry.get("orm")

    opened = Registry({"a": load_faulty, "b": load_sound}, {"a": "process", "b": "outcome"})
    await opened.load_all()
    return opened, faults


async def test_models_without_a_fault_are_ready(faulty) -> None:
    opened, _ = faulty
    assert (opened.is_ready(), opened.fault()) == (True, None)


async def test_a_model_with_a_fault_has_failed_and_its_neighbour_has_not(faulty) -> None:
    opened, faults = faulty
    faults.append("stuck: no forward pass finished in 9 s")
    assert opened.states() == {"a": ModelState("failed", faults[0]), "b": ModelState("ready")}
    assert (opened.is_ready(), opened.fault()) == (False, "model a is stuck: no forward pass finished in 9 s")


async def test_a_model_with_a_fault_is_refused(faulty) -> None:
    opened, faults = faulty
    faults.append("stuck")
    with pytest.raises(NotReady, match="'a' is failed: stuck"):
        opened.get("a")


async def test_a_model_whose_fault_ended_is_served(faulty) -> None:
    opened, faults = faulty
    faults.append("stuck")
    faults.clear()
    assert opened.get("a").card.name == "prm"


async def test_reloading_all_goes_on_behind_one_that_cannot_be(open_registry, caplog) -> None:
    adapters = {"prm": "one", "orm": "one"}
    registry = await open_registry(adapters=adapters)
    adapters |= {"prm": CheckpointMissing("there is none"), "orm": "two"}
    await registry.reload_all()
    served = [registry.get(name).card.fingerprint.partition("@")[2] for name in ("prm", "orm")]
    assert served == ["one", "two"]
    assert "model prm is served as before: checkpoint_missing: there is none" in caplog.text
