"""The events of a streamed `/best_of_n`, and their reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from surefoot_client.calls import error_in_stream, parsed
from surefoot_client.errors import BadResponse, ConnectionFailed, ServerError
from surefoot_client.reading import Fields, Received, integer, list_of, number
from surefoot_client.samples import BestOfN, Candidate
from surefoot_client.scores import StepScore, item_error
from surefoot_client.server_sent_events import EventDecoder


@dataclass(frozen=True, slots=True)
class CandidateEvent(Received):
    """A candidate has finished; the candidates come in the order in which they finish."""

    candidate: Candidate

    @classmethod
    def from_dict(cls, value: object, path: str = "candidate") -> CandidateEvent:
        """Read from JSON; raises `BadResponse`."""
        return cls(candidate=Candidate.from_dict(value, path), _json=Fields(value, path).json)


@dataclass(frozen=True, slots=True)
class ScoreEvent(Received):
    """The candidate of that `index` is scored, or has failed with `error`.

    `score` and `outcome_score` are the two models' own, on their own scales, where they play a role.
    """

    index: int
    score: float | None = None
    outcome_score: float | None = None
    first_error: int | None = None
    steps: tuple[StepScore, ...] | None = None
    error: ServerError | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "score") -> ScoreEvent:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            index=fields.required("index", integer),
            score=fields.optional("score", number),
            outcome_score=fields.optional("outcome_score", number),
            first_error=fields.optional("first_error", integer),
            steps=fields.optional("steps", list_of(StepScore.from_dict)),
            error=fields.optional("error", item_error),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class ResultEvent(Received):
    """The last event: what `best_of_n` returns."""

    result: BestOfN

    @classmethod
    def from_dict(cls, value: object, path: str = "result") -> ResultEvent:
        """Read from JSON; raises `BadResponse`."""
        return cls(result=BestOfN.from_dict(value, path), _json=Fields(value, path).json)


BestOfNEvent = CandidateEvent | ScoreEvent | ResultEvent

_READERS: Mapping[str, Callable[[object, str], BestOfNEvent]] = MappingProxyType(
    {"candidate": CandidateEvent.from_dict, "score": ScoreEvent.from_dict, "result": ResultEvent.from_dict}
)


@dataclass(slots=True)
class BestOfNReader:
    """Turns the bytes of one streamed answer into typed events; `is_complete` once the result was among them.

    Raises `BadResponse` for a `content_type` that promises no events.
    """

    content_type: str
    is_complete: bool = False
    _decoder: EventDecoder = field(default_factory=EventDecoder)

    def __post_init__(self) -> None:
        if self.content_type.partition(";")[0].strip().lower() != "text/event-stream":
            raise BadResponse("the server answered without a stream of events; check base_url and its version")

    def read(self, chunk: bytes) -> Iterator[BestOfNEvent]:
        """The events that `chunk` completes, up to the result; names that this version does not know are passed over.

        Raises the `ServerError` of an `error` event, and `BadResponse` for what is no event of this API.
        """
        try:
            for event in self._decoder.decode(chunk):
                if event.name == "error":
                    raise error_in_stream(parsed(event.data, "sent an error event"))
                read = _READERS.get(event.name)
                if read is None:
                    continue
                typed = read(parsed(event.data, f"sent a {event.name} event"), event.name)
                self.is_complete = isinstance(typed, ResultEvent)
                yield typed
                if self.is_complete:
                    return
        except UnicodeDecodeError as cause:
            raise BadResponse("the server sent a stream that is not UTF-8") from cause

    def check_complete(self) -> None:
        """Raises `ConnectionFailed` for a stream that ended before its result."""
        if not self.is_complete:
            raise ConnectionFailed("the stream ended before its result")
