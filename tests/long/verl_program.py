"""verl's own reward worker over rows from the standard input: its configuration, its loader, its managers.

Input: for each name `{"overrides": [...], "rows": [{"problem", "response", "extra_info"}]}`, as every option of verl is
an override. Output: what the worker of each returns.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import verl
from hydra import compose, initialize_config_dir
from tensordict import TensorDict
from verl import DataProto
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker


def sample(worker: RewardLoopWorker, row: dict[str, Any]) -> DataProto:
    """As the agent loop makes one of a trajectory with one output."""
    tokenizer = worker.input_tokenizer
    turns = [{"role": "system", "content": "Think."}, {"role": "user", "content": row["problem"]}]
    prompts = tokenizer(row["problem"], return_tensors="pt")["input_ids"]
    responses = tokenizer(row["response"], return_tensors="pt")["input_ids"]
    # Two tokens of padding, which must not be read.
    padded = torch.nn.functional.pad(responses, (0, 2), value=tokenizer.pad_token_id)
    mask = torch.ones(1, prompts.shape[1] + padded.shape[1], dtype=torch.int64)
    mask[:, -2:] = 0
    fields = {
        "data_source": "sums",
        "reward_model": {"ground_truth": "5", "style": "rule"},
        "raw_prompt": turns,
        "extra_info": row["extra_info"],
        "__num_turns__": 2,
    }
    columns = {name: np.empty(1, dtype=object) for name in fields}
    for name, value in fields.items():
        columns[name][0] = value
    tensors = TensorDict({"prompts": prompts, "responses": padded, "attention_mask": mask}, batch_size=1)
    return DataProto(batch=tensors, non_tensor_batch=columns)


def answers(overrides: list[str], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    directory = Path(verl.__file__).parent / "trainer" / "config"
    with initialize_config_dir(str(directory), version_base=None):
        config = compose("ppo_trainer", overrides=overrides)

    async def run() -> list[dict[str, Any]]:
        worker = RewardLoopWorker(config)
        return list(await asyncio.gather(*(worker.compute_score(sample(worker, row)) for row in rows)))

    return asyncio.run(run())


if __name__ == "__main__":
    print(json.dumps({name: answers(**job) for name, job in json.load(sys.stdin).items()}))
