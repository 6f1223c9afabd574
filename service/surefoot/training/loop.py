"""The training loop: steps over epochs, each epoch validated, the whole resumable to the bit on one CPU thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from surefoot.errors import LossNotFinite
from surefoot.profiles import Profile
from surefoot.training.examples import Example
from surefoot.training.lora import AdaptedModel
from surefoot.training.losses import summed_loss, total_weight, words_loss
from surefoot.training.plan import TrainingPlan, epoch_steps, learning_rate
from surefoot.training.run_state import RunState, load_state, random_state, restore_random_state, save_state
from surefoot.training.validation import validate


class Watcher(Protocol):
    """Hears how a run goes."""

    def begun(self, num_tokens: int, num_tokens_done: int) -> None:
        """All tokens of all epochs, and those that a resumed run has done before."""

    def stepped(self, epoch: int, num_tokens: int, loss: float) -> None:
        """A step is done; `loss` is the mean of its targets, in nats."""

    def validated(self, epoch: int, measures: Mapping[str, float], *, is_best: bool) -> None:
        """An epoch is done; 0 is before training."""


@dataclass(frozen=True, slots=True)
class Data:
    """What is learned from and what is measured on; `line_of[i]` is the line of training example i in its file."""

    training: Sequence[Example]
    validation: Sequence[Example]
    line_of: Sequence[int]


@dataclass(frozen=True, slots=True)
class Trained:
    """The measures of every epoch, the first before training; the best epoch, and its adapter as it is stored."""

    epochs: Sequence[Mapping[str, float]]
    best: int
    stopped_early: bool
    adapter: Mapping[str, torch.Tensor]


class Trainer:
    """Trains one adapter. `profile` judges the validation, there is none for a generator."""

    def __init__(
        self,
        model: AdaptedModel,
        data: Data,
        profile: Profile | None,
        plan: TrainingPlan,
        *,
        stored_as: torch.dtype,
        directory: Path,
        made_for: Mapping[str, Any],
    ) -> None:
        """The state goes into `directory`; `made_for` is what a run must agree with to continue it."""
        self._model, self._data, self._profile, self._plan = model, data, profile, plan
        self._temperature = 1.0 if profile is None else profile.readout.temperature
        self._stored_as, self._directory, self._made_for = stored_as, directory, made_for
        lengths = [example.rendered.num_tokens for example in data.training]
        self._epochs = [epoch_steps(lengths, plan, epoch) for epoch in range(plan.epochs)]
        self._num_steps = sum(map(len, self._epochs))
        self._optimizer = torch.optim.AdamW(
            list(model.parameters.values()), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )

    def run(self, watcher: Watcher, keep: Callable[[Trained], None]) -> Trained:
        """Train to the end, from where a state in the directory says; `keep` gets each best adapter so far.

        Raises `LossNotFinite`, `RunMismatch`, or `OSError` where the state cannot be written: the state of before and
        the best adapter stay where they are.
        """
        state = load_state(self._directory, self._made_for) or self._beginning(watcher)
        self._restore(state)
        watcher.begun(self._num_tokens(self._plan.epochs, 0), self._num_tokens(state.epoch, state.step))
        while state.epoch < self._plan.epochs and not self._is_over(state):
            state = self._after_epoch(self._train_epoch(state, watcher), watcher)
            save_state(self._directory, state, self._made_for)
            if state.best == len(state.epochs) - 1:
                keep(self._trained(state))
        return self._trained(state)

    def _beginning(self, watcher: Watcher) -> RunState:
        measures, stored = self._validated()
        watcher.validated(0, measures, is_best=True)
        return self._state(0, 0, {"loss": 0.0, "weight": 0.0}, [measures], 0, stored)

    def _train_epoch(self, state: RunState, watcher: Watcher) -> RunState:
        """The state after the last step of its epoch."""
        steps = self._epochs[state.epoch]
        before = sum(map(len, self._epochs[: state.epoch]))
        totals = dict(state.totals)
        self._model.train(learning=True)
        for step in range(state.step, len(steps)):
            weight = sum(total_weight(self._examples(batch)) for batch in steps[step])
            loss = self._learn(state.epoch, step, weight, learning_rate(before + step, self._num_steps, self._plan))
            totals = {"loss": totals["loss"] + loss, "weight": totals["weight"] + weight}
            watcher.stepped(state.epoch, self._tokens_of(steps[step]), loss / weight)
            if (before + step + 1) % self._plan.save_every_steps == 0:
                saved = self._state(state.epoch, step + 1, totals, state.epochs, state.best, state.best_adapter)
                save_state(self._directory, saved, self._made_for)
        return self._state(state.epoch, len(steps), totals, state.epochs, state.best, state.best_adapter)

    def _learn(self, epoch: int, step: int, weight: float, rate: float) -> float:
        """One update of the weights; the summed loss of its targets. Nothing is learned from what is not finite."""
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for place, batch in enumerate(self._epochs[epoch][step]):
            examples = self._examples(batch)
            loss = self._loss(examples)
            self._require_finite("loss", loss.item(), epoch, step, place)
            (loss / weight).backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(list(self._model.parameters.values()), self._plan.largest_gradient)
        self._require_finite("gradient", norm.item(), epoch, step, None)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        return total

    def _loss(self, examples: Sequence[Example]) -> torch.Tensor:
        if not any(example.word_positions for example in examples):
            return summed_loss(self._model.raw(examples), examples, self._temperature)
        raw, words = self._model.raw_and_words(examples)
        return summed_loss(raw, examples, self._temperature) + self._plan.words_weight * words_loss(words, examples)

    def _require_finite(self, what: str, value: float, epoch: int, step: int, batch: int | None) -> None:
        if math.isfinite(value):
            return
        batches = self._epochs[epoch][step]
        rows = [index for place, indices in enumerate(batches) if batch in (None, place) for index in indices]
        lines = sorted(self._data.line_of[index] for index in rows)
        raise LossNotFinite(
            f"the {what} is not finite in epoch {epoch + 1}, step {step + 1}"
            f"{'' if batch is None else f', batch {batch + 1}'} (lines {', '.join(map(str, lines[:20]))}"
            f"{' and more' if len(lines) > 20 else ''}): nothing was learned from it, and the last saved state is "
            "kept; look at these rows, lower the learning rate, or train in float32"
        )

    def _after_epoch(self, state: RunState, watcher: Watcher) -> RunState:
        measures, stored = self._validated()
        measures = {"training_loss": state.totals["loss"] / state.totals["weight"], **measures}
        epochs = [*state.epochs, measures]
        is_best = self._is_better(measures, state.epochs[state.best])
        best, best_adapter = (len(epochs) - 1, stored) if is_best else (state.best, state.best_adapter)
        watcher.validated(len(epochs) - 1, measures, is_best=is_best)
        return self._state(state.epoch + 1, 0, {"loss": 0.0, "weight": 0.0}, epochs, best, best_adapter)

    def _validated(self) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
        """Measures of the adapter as it would be stored, which is what would be served, and that adapter."""
        exact = self._model.weights()
        self._model.train(learning=False)
        self._model.load({name: tensor.to(self._stored_as) for name, tensor in exact.items()})
        measures = validate(self._model, self._data.validation, self._profile, batch_tokens=self._plan.batch_tokens)
        stored = self._model.stored(self._stored_as)
        self._model.load(exact)
        return measures, stored

    def _is_better(self, new: Mapping[str, float], old: Mapping[str, float]) -> bool:
        by = self._plan.best_by
        if by == "last":
            return True
        # A measure that the labels do not allow falls back on the loss, which there always is.
        if by == "loss" or by not in new or by not in old:
            return new["loss"] < old["loss"]
        return new[by] > old[by]

    def _is_over(self, state: RunState) -> bool:
        return len(state.epochs) - 1 - state.best >= self._plan.patience

    def _state(
        self,
        epoch: int,
        step: int,
        totals: Mapping[str, float],
        epochs: Sequence[Mapping[str, float]],
        best: int,
        best_adapter: Mapping[str, torch.Tensor],
    ) -> RunState:
        return RunState(
            epoch=epoch,
            step=step,
            adapter=self._model.weights(),
            optimizer=self._optimizer.state_dict(),
            random=random_state(self._model.checkpoint.device),
            totals=totals,
            epochs=epochs,
            best=best,
            best_adapter=best_adapter,
        )

    def _restore(self, state: RunState) -> None:
        self._model.load(state.adapter)
        self._optimizer.load_state_dict(dict(state.optimizer))
        restore_random_state(state.random, self._model.checkpoint.device)

    def _trained(self, state: RunState) -> Trained:
        return Trained(state.epochs, state.best, state.epoch < self._plan.epochs, state.best_adapter)

    def _examples(self, batch: Sequence[int]) -> list[Example]:
        return [self._data.training[index] for index in batch]

    def _tokens_of(self, step: Sequence[Sequence[int]]) -> int:
        return sum(self._data.training[index].rendered.num_tokens for batch in step for index in batch)

    def _num_tokens(self, epoch: int, step: int) -> int:
        """Tokens of all epochs before that one, and of its first steps."""
        whole = sum(self._tokens_of(each) for steps in self._epochs[:epoch] for each in steps)
        return whole + (sum(map(self._tokens_of, self._epochs[epoch][:step])) if step else 0)
