"""The base models of an experiment: cut to a depth, made anew or found, and adapted to a task's text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from surefoot.errors import NotTrainable
from surefoot.evaluation.weak_supervision import THRESHOLD
from surefoot.experiments.weak_to_strong.items import Item
from surefoot.experiments.weak_to_strong.plan import CellPlan, is_depth, slug
from surefoot.experiments.weak_to_strong.tasks import TASKS, TaskName
from surefoot.profiles import Profile, load_profile
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.sources import checkpoint_directory
from surefoot.wiring.training import TrainingBase, open_reward_base

PROFILES = {"process": "embedded-prm", "outcome": "embedded-orm"}
"""Which built-in profile reads the judges of a task."""

_NEW = re.compile(r"scratch-(?P<layers>[0-9]+)x(?P<hidden>[0-9]+)")

Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExperimentBases:
    """Makes bases below `directory`, each once; `source` is the checkpoint that depths are cut from and new models
    have their tokenizer of. `say` hears what takes long."""

    directory: Path
    source: str
    settings: Settings
    plan: CellPlan
    say: Said

    def profile(self, task: TaskName) -> Profile:
        """The profile that the judges of a task are served with: what is as likely right as wrong is right."""
        found = load_profile(PROFILES[TASKS[task].kind])
        return found.model_copy(update={"threshold": THRESHOLD, "golden": ()})

    def opener(self, task: TaskName, size: str, items: Sequence[Item], *, language: bool) -> Callable[[], TrainingBase]:
        """Opens the base of a size; `items` are those whose text it learns to write where it does, with `language`
        once more. Blocking. Raises a `StartupError` or `NotTrainable`."""
        path = self._prepared(task, size, items)
        if language:
            path = self._once(f"{task}/{slug(size)}-language", partial(self._adapt, task, path, items, top_layers=True))
        return partial(self._open, task, path)

    def _open(self, task: TaskName, path: Path) -> TrainingBase:
        profile = self.profile(task)
        return open_reward_base(self._model(path, profile), profile, self.settings)

    def _model(self, path: Path, profile: Profile) -> ModelSettings:
        return ModelSettings(name="judge", path=str(path), profile=profile.name, adapter="none")

    def _prepared(self, task: TaskName, size: str, items: Sequence[Item]) -> Path:
        from surefoot.modeling.depth import num_layers, write_first_layers
        from surefoot.training.language import write_new_model

        new = _NEW.fullmatch(size)
        if not new and not is_depth(size):
            return checkpoint_directory(size, self.settings)
        source = checkpoint_directory(self.source, self.settings)
        if new:
            shape = {"num_layers": int(new["layers"]), "hidden_size": int(new["hidden"]), "seed": self.plan.data_seed}
            bare = self._once(slug(size), lambda target: write_new_model(source, target, **shape))
            return self._once(f"{task}/{slug(size)}", partial(self._adapt, task, bare, items, top_layers=False))
        if int(size) > num_layers(source):
            raise NotTrainable(
                f"the base has {num_layers(source)} layers: there is no variant of {size}", param="pairs"
            )
        if int(size) == num_layers(source):
            return source
        bare = self._once(slug(size), lambda target: write_first_layers(source, target, int(size)))
        return self._once(f"{task}/{slug(size)}", partial(self._adapt, task, bare, items, top_layers=True))

    def _adapt(self, task: TaskName, source: Path, items: Sequence[Item], target: Path, *, top_layers: bool) -> None:
        """Learn to write what judges read of the items, whatever is right in them."""
        from surefoot.training.language import write_adapted

        profile = self.profile(task)
        model = self._model(source, profile).model_copy(update={"dtype": "float32"})
        base = open_reward_base(model, profile, self.settings)
        count = len(base.checkpoint.trunk.layers)
        told = f"{target.name.strip('.').removesuffix('.part')} learns to write {task}"
        losses = write_adapted(
            base.checkpoint,
            [base.example(row).rendered.token_ids for item in items for row in item.rows],
            target,
            num_tokens=self.plan.adapt_tokens,
            top_layers=min(self.plan.top_layers, count) if top_layers else None,
            rate=self.plan.adapt_rate,
            seed=self.plan.data_seed,
            stepped=lambda done, total: self.say(f"{told}: step {done} of {total}"),
        )
        facts = {"adapt_losses": losses, "num_layers": count}
        (target / "adapted.json").write_text(json.dumps(facts), encoding="utf-8")

    def _once(self, name: str, make: Callable[[Path], None]) -> Path:
        """The directory of that name, made by `make` unless it is there; it is there whole or not at all."""
        path = self.directory / name
        if not path.is_dir():
            part = path.with_name(f".{path.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            make(part)
            part.rename(path)
        return path
