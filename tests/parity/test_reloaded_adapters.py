"""A model that was reloaded is the model that a fresh server loads from the same files, to the bit."""

import shutil
from pathlib import Path

from adapter_directory import AdapterDirectory


async def test_scores_after_a_reload_are_those_of_a_fresh_server(serve, tiny, problems, tmp_path: Path) -> None:
    first, second = AdapterDirectory(tmp_path / "first"), AdapterDirectory(tmp_path / "second")
    first.put(1)
    second.put(2)
    second.set_profile("embedded-prm", ("threshold = 0.73", "threshold = 0.25"))

    async def served_from(adapter: AdapterDirectory):
        settings = {"adapter": str(adapter.path)}
        return await serve({"prm": (str(adapter.path / "profile.toml"), tiny("llama"), settings)})

    running, fresh = await served_from(first), await served_from(second)
    shutil.copytree(second.path, first.path, dirs_exist_ok=True)
    assert (await running.registry.reload("prm")).changed
    assert running.registry.get("prm").card == fresh.registry.get("prm").card
    assert await running.scores("prm", problems(16)) == await fresh.scores("prm", problems(16))
