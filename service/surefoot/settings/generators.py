"""Generators: what samples candidates, in this process or on another server."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from surefoot.settings.section import Dtype, Section, key_in


class Example(Section):
    """A worked problem that shows the generator how solutions are written."""

    problem: str
    solution: str


class GeneratorSettings(Section):
    """What samples candidates: `[generator]` in the file."""

    name: str = "default"
    """The name that requests ask for."""
    engine: Literal["auto", "vllm", "transformers", "none"] = "auto"
    """`auto` is vLLM where it is installed, else transformers; `none` serves scores only."""
    path: str = "embedded"
    """`embedded`, a checkpoint directory, or `hub:owner/name`."""
    adapter: str | None = None
    """A directory with a LoRA adapter in peft's format, as `surefoot train generator` writes it; the engine applies it
    to `path`. One that was trained for another base is refused. The embedded model has one where neither instructions
    nor examples are given, which `embedded` names; `none` samples from the base alone."""
    dtype: Dtype = "auto"
    """Weights' type; `auto` is bf16 where the processor multiplies it natively."""
    start: Literal["auto", "lazy", "startup"] = "auto"
    """When the engine loads. `lazy`: the first request waits for it. `startup`: memory is taken at once.
    `auto` is `startup` on a GPU that it shares with the scorers, which vLLM must enter first, and `lazy` elsewhere."""
    instructions: str | None = None
    """System message before a bare `problem` (never before `messages`); the embedded model has one by default."""
    examples: list[Example] | None = None
    """Worked problems shown before a bare `problem`; the embedded model has one by default, with one step a line, which
    an `adapter` makes dispensable."""
    max_context_tokens: int = Field(4096, ge=16)
    """Prompt and answer together; longer costs key/value cache."""
    max_concurrent: int = Field(64, ge=1)
    """Candidates in flight; more is faster until memory says stop."""
    max_queue_s: float = Field(120.0, ge=0)
    """Seconds that a request's candidates may wait for those before them, at the recent speed; beyond that it is
    refused with 429. Less than `limits.request_timeout_s`; 0 sets no bound."""
    cpu_kv_cache_gib: int = Field(1, ge=1)
    """vLLM's key/value cache on a CPU, in GiB; 1 GiB holds about 46,000 tokens of the embedded model."""

    @model_validator(mode="after")
    def _embedded_model_is_shown_the_format(self) -> Self:
        if self.path == "embedded" and self.instructions is None and self.examples is None:
            self.instructions = _EMBEDDED_INSTRUCTIONS
            self.adapter = self.adapter or "embedded"
            self.examples = [_EMBEDDED_EXAMPLE] if self.adapter == "none" else None
        if self.adapter == "none":
            self.adapter = None
        return self

    def as_trained(self) -> GeneratorSettings:
        """The settings that a generator trained from these is served with: an adapter, and no example by default."""
        if self.adapter is not None:
            return self
        given = self.model_dump()
        if (self.instructions, self.examples) == (_EMBEDDED_INSTRUCTIONS, [_EMBEDDED_EXAMPLE]):
            given["examples"] = None
        return GeneratorSettings.model_validate(given | {"adapter": "in training"})


class RemoteGeneratorSettings(Section):
    """A server with an OpenAI-compatible API as a further generator: `[[remote_generators]]` in the file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The name that requests ask for."""
    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$")
    """Where the server is, `http://host:port`; a key belongs into `api_key_env`, not here."""
    model: str = Field(min_length=1)
    """The server's name for the model, as its /v1/models lists it."""
    api: Literal["chat", "completions"] = "chat"
    """`chat` sends messages. `completions` sends token ids with `extensions`, else the bare text of the turns."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key."""
    timeout_s: float = Field(300.0, gt=0)
    """Seconds for one candidate, retries included."""
    connect_timeout_s: float = Field(5.0, gt=0)
    """Seconds for a connection."""
    max_concurrent: int = Field(64, ge=1)
    """Candidates in flight at this server."""
    max_queue_s: float = Field(120.0, ge=0)
    """As of `generator`."""
    max_retries: int = Field(3, ge=0)
    """Further attempts after 429, 502, 503 or a broken connection."""
    logprobs: bool = True
    """Ask for log-probabilities; without them `cumulative_logprob` is null."""
    extensions: bool = False
    """The server knows vLLM's fields and its /tokenize: token ids come with the candidates, and `top_k` and
    `beginning` work."""
    instructions: str | None = None
    """System message before a bare `problem`."""
    examples: list[Example] | None = None
    """Worked problems shown before a bare `problem`."""

    def api_key(self) -> str | None:
        """The key itself. Raises `SettingsInvalid`, which never shows it."""
        return key_in(self.api_key_env, f"remote_generators: {self.name}")


_EMBEDDED_INSTRUCTIONS = "Solve the problem step by step, one short step per line. End with the line: The answer is N."
_EMBEDDED_EXAMPLE = Example(
    problem="Mia has 2 bags with 5 coins each. She loses 3 coins. How many coins are left?",
    solution="Mia has 2 * 5 = 10 coins.\nShe loses 3 coins, so 10 - 3 = 7 coins are left.\nThe answer is 7.",
)
