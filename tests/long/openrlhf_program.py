"""OpenRLHF's own single-turn executor, whose engine says what it is told instead of sampling.

Input: for each name `{"remote_url", "tokenizer", "rows": [{"prompt", "response", "label"}]}`. Output: reward, score and
log of each row.
"""

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any

from openrlhf.utils.agent import SingleTurnAgentExecutor
from transformers import AutoTokenizer


class SaysWhatItIsTold:
    """In the place of vLLM's engine, which answers one request with one completion."""

    def __init__(self, token_ids: list[int]) -> None:
        self.token_ids = token_ids

    async def generate(self, prompt_token_ids: list[int], sampling_params: Any, multi_modal_data: Any) -> Any:
        completion = SimpleNamespace(token_ids=self.token_ids, finish_reason="stop", logprobs=None, text="")
        return SimpleNamespace(outputs=[completion])


def plain(value: Any) -> Any:
    """Tensors as lists, at any depth."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


async def execute(task: dict[str, Any]) -> list[dict[str, Any]]:
    executor = SingleTurnAgentExecutor(task["remote_url"])
    tokenizer = AutoTokenizer.from_pretrained(task["tokenizer"])
    sampling = SimpleNamespace(max_tokens=64, logprobs=None)

    async def one(row: dict[str, Any]) -> dict[str, Any]:
        engine = SaysWhatItIsTold([*tokenizer(row["response"])["input_ids"], tokenizer.eos_token_id])
        output = await executor.execute(row["prompt"], row["label"], sampling, 4096, tokenizer, engine)
        return {name: plain(output[name]) for name in ("reward", "scores", "extra_logs")}

    return list(await asyncio.gather(*map(one, task["rows"])))


if __name__ == "__main__":
    print(json.dumps({name: asyncio.run(execute(task)) for name, task in json.load(sys.stdin).items()}))
