"""vLLM as a generator of one token: every step's prefix a prompt, of whose next token the two words are asked for.

This way reads vLLM's prefix cache, which its pooling of every token never does.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from typing import Any

from loadtests.comparison.gpu_memory import memory_share
from loadtests.comparison.peer import Group, Scores, answer_runs, options


def main() -> None:
    """Load the language model and answer."""
    given = options()
    os.environ |= {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    from vllm import LLM, SamplingParams
    from vllm.inputs import TokensPrompt

    on_cuda = {} if given.device == "cpu" else {"gpu_memory_utilization": memory_share(given.causal, given.device)}
    model = LLM(
        given.causal,
        dtype=given.dtype,
        max_model_len=4096,
        enable_prefix_caching=True,
        max_num_batched_tokens=8192,
        enforce_eager=given.device == "cpu",
        disable_log_stats=True,
        **on_cuda,
    )
    positive, negative = given.words
    wanted = SamplingParams(max_tokens=1, temperature=0.0, logprobs=2, logprob_token_ids=[positive, negative])

    def probability(output: Any) -> float:
        found = output.outputs[0].logprobs[0]
        return 1 / (1 + math.exp(found[negative].logprob - found[positive].logprob))

    def score(wave: Sequence[Group], _concurrency: int) -> tuple[list[Scores], list[float]]:
        began = time.perf_counter()
        candidates = [candidate for group in wave for candidate in group["candidates"]]
        prompts = [
            TokensPrompt(prompt_token_ids=candidate["token_ids"][: position + 1])
            for candidate in candidates
            for position in candidate["positions"]
        ]
        outputs = iter(model.generate(prompts, wanted, use_tqdm=False))
        found = [
            [[probability(next(outputs)) for _ in candidate["positions"]] for candidate in group["candidates"]]
            for group in wave
        ]
        took = time.perf_counter() - began
        return found, [took] * len(wave)

    answer_runs(score)


if __name__ == "__main__":
    main()
