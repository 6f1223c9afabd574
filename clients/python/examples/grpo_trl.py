"""GRPO with TRL and rewards from a running surefoot server: a few steps on a CPU, then the curve of rewards.

    pip install 'surefoot-client[trl]' matplotlib
    surefoot serve
    python grpo_trl.py --steps 5
    python grpo_trl.py --policy HuggingFaceTB/SmolLM2-135M-Instruct --problems gsm8k.jsonl --steps 200

Kill the server and start it again while this runs: the training waits for it, and no reward is lost or made up.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from statistics import fmean
from typing import Any

from surefoot_client.trainers.trl import grpo_reward

INSTRUCTION = "Solve the problem step by step, one short step per line."
CHAT = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    described = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=described)
    parser.add_argument("--server", nargs="+", default=["http://127.0.0.1:8080"], metavar="URL", help="one or several")
    parser.add_argument("--model", help="the reward model's name; the server's default without it")
    parser.add_argument("--policy", default="tiny", help="directory or hub name; `tiny` is random and learns nothing")
    parser.add_argument("--problems", type=Path, help="JSON lines with `problem` or `question`; built-in sums without")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--num-generations", type=int, default=8, help="completions of one problem, a group of GRPO")
    parser.add_argument("--batch-size", type=int, default=8, help="completions of one step")
    parser.add_argument("--max-tokens", type=int, default=48, help="the longest completion")
    parser.add_argument("--learning-rate", type=float, default=1e-5)
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16; faster where the processor has it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("grpo"), help="gets completions/, rewards.jsonl and the curve")
    return parser.parse_args()


def sums(num_problems: int, seed: int) -> list[str]:
    """Word problems in the manner of GSM8K."""
    chance = random.Random(seed)  # noqa: S311
    form = "A box holds {} pens. Ann buys {} boxes and gives {} pens away. How many pens does she have?"
    return [form.format(chance.randint(4, 9), chance.randint(2, 9), chance.randint(1, 7)) for _ in range(num_problems)]


def read_problems(path: Path | None, seed: int) -> list[str]:
    """The problems of a file, else built-in ones."""
    if path is None:
        return sums(512, seed)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row.get("problem") or row["question"] for row in rows]


def tiny_policy(seed: int) -> tuple[Any, Any]:
    """A random model of bytes, made on the spot: what it writes is noise, but all of the loop is real."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<pad>", "<end>"]
    made = Tokenizer(models.BPE({token: place for place, token in enumerate([*special, *alphabet])}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<end>")  # noqa: S106
    tokenizer.chat_template = CHAT
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return Qwen2ForCausalLM(config), tokenizer


def train(options: argparse.Namespace) -> list[dict[str, Any]]:
    """TRL's log, one entry for each step."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    policy, tokenizer = tiny_policy(options.seed) if options.policy == "tiny" else (options.policy, None)
    problems = read_problems(options.problems, options.seed)
    turns = [[{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": each}] for each in problems]
    # What the policy writes may be empty, or too long: that is its own fault and costs it the worst reward.
    reward = grpo_reward(options.server, model=options.model, unscorable_reward=0.0)
    config = GRPOConfig(
        output_dir=str(options.out),
        max_steps=options.steps,
        per_device_train_batch_size=options.batch_size,
        num_generations=options.num_generations,
        max_completion_length=options.max_tokens,
        learning_rate=options.learning_rate,
        seed=options.seed,
        bf16=options.bf16,
        use_cpu=True,
        logging_steps=1,
        log_completions=True,
        num_completions_to_print=1,
        save_strategy="no",
        report_to="none",
    )
    rows = Dataset.from_dict({"prompt": turns})
    trainer = GRPOTrainer(policy, reward_funcs=reward, args=config, train_dataset=rows, processing_class=tokenizer)
    trainer.train()
    return [entry for entry in trainer.state.log_history if "reward" in entry]


def write(history: list[dict[str, Any]], out: Path) -> None:
    """The log as JSON lines, and its rewards as a picture where matplotlib is there."""
    (out / "rewards.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in history), encoding="utf-8")
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        print("no curve: matplotlib is not installed")  # noqa: T201
        return
    steps, rewards = [entry["step"] for entry in history], [entry["reward"] for entry in history]
    # The mean of the last ten steps: single batches jump.
    smooth = [sum(rewards[max(0, place - 9) : place + 1]) / min(10, place + 1) for place in range(len(rewards))]
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.plot(steps, rewards, alpha=0.35, label="batch")
    axes.plot(steps, smooth, label="mean of ten")
    axes.set(xlabel="step", ylabel="mean reward", title="GRPO with a process reward model")
    axes.legend()
    figure.savefig(out / "reward_curve.png", dpi=120, bbox_inches="tight")


def main() -> None:
    """Train, then write what came of it."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(options)
    write(history, options.out)
    rewards = [entry["reward"] for entry in history]
    first, last = fmean(rewards[:10]), fmean(rewards[-10:])
    print(f"{len(rewards)} steps, mean reward {first:.4f} in the first ten, {last:.4f} in the last ten")  # noqa: T201
    print(f"completions, rewards.jsonl and the curve are in {options.out}")  # noqa: T201


if __name__ == "__main__":
    main()
