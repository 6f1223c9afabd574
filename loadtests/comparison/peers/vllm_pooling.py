"""vLLM's pooling server: every candidate a request of token ids, all tokens classified, the wanted rows chosen here."""

from __future__ import annotations

import asyncio
import math
import sys

import httpx

from loadtests.comparison.gpu_memory import memory_share
from loadtests.comparison.http_groups import answer_over_http
from loadtests.comparison.peer import Group, Scores, options
from loadtests.servers.processes import free_port


def main() -> None:
    """Start the server on the token classifier and answer."""
    given, port = options(), free_port()
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", given.classifier]
    command += ["--runner", "pooling", "--port", str(port), "--dtype", given.dtype, "--max-model-len", "4096"]
    command += ["--pooler-config", '{"task": "token_classify", "tok_pooling_type": "ALL"}', "--disable-log-stats"]
    command += ["--max-num-batched-tokens", "8192", "--max-num-seqs", "256"]
    if given.device != "cpu":
        command += ["--gpu-memory-utilization", str(memory_share(given.classifier, given.device))]
    # "nobind": the cores are given by the parent, as to all.
    environment = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    environment["OMP_NUM_THREADS"] = str(given.threads)
    answer_over_http(command, environment, port, "/health", _ask)


async def _ask(client: httpx.AsyncClient, group: Group) -> Scores:
    async def one(candidate: dict[str, list[int]]) -> list[float]:
        body = {"input": candidate["token_ids"], "task": "token_classify", "use_activation": False}
        response = await client.post("/pooling", json=body)
        response.raise_for_status()
        rows = response.json()["data"][0]["data"]
        return [1 / (1 + math.exp(rows[place][0] - rows[place][1])) for place in candidate["positions"]]

    return await asyncio.gather(*(one(candidate) for candidate in group["candidates"]))


if __name__ == "__main__":
    main()
