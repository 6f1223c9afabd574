"""The names, version and dependencies that users may rely on."""

import re
import subprocess
import sys
from pathlib import Path

import surefoot_client

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
SOURCES = Path(surefoot_client.__file__).parent

PUBLIC_NAMES = [
    "AdapterInvalid",
    "AdapterMismatch",
    "AdapterNotConfigured",
    "Aggregation",
    "AggregationNotDefined",
    "ArithmeticDetail",
    "AsyncSurefootClient",
    "BackendFailed",
    "BadGateway",
    "BadResponse",
    "BestOfN",
    "BestOfNEvent",
    "BodyTimeout",
    "BodyTooLarge",
    "Candidate",
    "CandidateEvent",
    "CandidateNotConfigured",
    "CheckedScore",
    "CheckpointDamaged",
    "CheckpointMissing",
    "CheckpointRefused",
    "ChosenCandidate",
    "ConnectionFailed",
    "DeadlineExceeded",
    "ERRORS_BY_CODE",
    "EarlyStop",
    "EarlyStopSaving",
    "EmptyProblem",
    "EmptyStep",
    "ErrorCode",
    "FailedEquation",
    "Forbidden",
    "GeneratorInfo",
    "GeneratorNotFound",
    "GeneratorState",
    "GroupTooLarge",
    "InputTooLong",
    "InternalError",
    "InvalidRequest",
    "ItemError",
    "ItemFailure",
    "ItemResult",
    "ItemSelection",
    "ItemsFailed",
    "Messages",
    "ModelCatalog",
    "ModelInfo",
    "ModelNotFound",
    "ModelStateConflict",
    "ModelStopped",
    "NoSteps",
    "NonFiniteScore",
    "NotFound",
    "NotReady",
    "OnError",
    "OutOfMemory",
    "Priority",
    "ProfileAmbiguous",
    "ProfileInvalid",
    "QueueFull",
    "RankedCandidate",
    "Ranking",
    "ReadyState",
    "Reloaded",
    "RequestError",
    "RequestTimeout",
    "ResultEvent",
    "RewardTreatment",
    "SampleResponse",
    "SamplerUnavailable",
    "SamplingUsage",
    "ScoreEvent",
    "ScoreItem",
    "ScoreResponse",
    "SelectResponse",
    "SelfCheck",
    "SelfCheckFailed",
    "ServerError",
    "ServerState",
    "SettingsInvalid",
    "StepCheck",
    "StepCountMismatch",
    "StepScore",
    "Strategy",
    "SurefootClient",
    "SurefootError",
    "TimedOut",
    "Timing",
    "TooManySteps",
    "TransportError",
    "Unauthorized",
    "UnrecognisedBody",
    "UnsafeText",
    "UnsupportedEncoding",
    "UnsupportedMessages",
    "Usage",
    "Vote",
    "WrongModelKind",
    "__version__",
    "raise_for_failures",
]


def imported_by(sources):
    """The packages outside the standard library that the files import."""
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    imported = {match.split(".")[0] for match in re.findall(r"^\s*(?:from|import) ([\w.]+)", text, re.MULTILINE)}
    return imported - sys.stdlib_module_names


def test_the_public_names_are_these():
    assert sorted(surefoot_client.__all__) == PUBLIC_NAMES


def test_every_public_name_exists():
    assert all(hasattr(surefoot_client, name) for name in surefoot_client.__all__)


def test_the_version_is_that_of_the_distribution():
    assert f'version = "{surefoot_client.__version__}"' in PYPROJECT.read_text(encoding="utf-8")


def test_httpx_is_the_only_dependency():
    assert 'dependencies = ["httpx>=0.27"]' in PYPROJECT.read_text(encoding="utf-8")


def test_importing_it_loads_nothing_heavy():
    program = "import sys, surefoot_client; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "surefoot_client" in loaded
    assert not {"surefoot", "pydantic", "torch", "numpy", "fastapi"} & set(loaded)


def test_it_imports_only_itself_httpx_and_the_standard_library():
    further = {"rl", "trainers"}
    sources = [path for path in SOURCES.rglob("*.py") if not further & {*path.relative_to(SOURCES).parts}]
    assert imported_by(sources) == {"surefoot_client", "httpx"}


def test_only_what_is_for_rl_imports_numpy():
    assert imported_by((SOURCES / "rl").rglob("*.py")) == {"surefoot_client", "numpy"}


def test_only_what_verl_and_openrlhf_load_imports_what_they_bring():
    brought = {path.stem: imported_by([path]) - {"surefoot_client"} for path in (SOURCES / "trainers").glob("*.py")}
    assert {name: found for name, found in brought.items() if found} == {
        "openrlhf": {"torch"},
        "verl_reward_loop": {"verl"},
    }


def test_importing_the_reward_functions_loads_no_trainer():
    program = """if True:
        import sys
        from surefoot_client.trainers import openrlhf, trl, verl
        print(*{name.partition('.')[0] for name in sys.modules})
    """
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "trl", "verl", "openrlhf"} & set(loaded)
