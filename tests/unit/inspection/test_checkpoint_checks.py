"""What is said of a checkpoint whichever profile reads it."""

import json
from collections.abc import Callable

import pytest

from surefoot.inspection import Check, Contents, check_checkpoint, read_contents


@pytest.fixture
def named() -> Callable[..., Check]:
    def check(contents: Contents, name: str, *, known: bool = True, fault: str | None = None) -> Check:
        checks = check_checkpoint(contents, is_known_model_type=known, tokenizer_fault=fault)
        return next(check for check in checks if check.name == name)

    return check


def test_a_sound_checkpoint_passes_everything(contents) -> None:
    checks = check_checkpoint(contents({}), is_known_model_type=True, tokenizer_fault=None)
    assert [check.status for check in checks] == ["ok"] * len(checks)


def test_a_bare_adapter_is_refused_with_the_way_out(tmp_path, named) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "owner/base"}))
    check = named(read_contents(tmp_path), "adapter")
    assert check.status == "error"
    assert "owner/base" in check.message
    assert "merge" in (check.fix or "")


def test_an_adapter_beside_a_model_is_only_a_warning(directory, named) -> None:
    path = directory({})
    (path / "adapter_config.json").write_text("{}")
    assert named(read_contents(path), "adapter").status == "warning"


def test_pickles_alone_need_an_allowance(directory, named) -> None:
    path = directory()
    (path / "pytorch_model.bin").write_bytes(b"")
    assert named(read_contents(path), "weights").allow == "pickle_weights"


def test_no_weights_are_an_error(contents, named) -> None:
    assert named(contents(), "weights").status == "error"


def test_code_that_nobody_needs_needs_no_allowance(contents, named) -> None:
    check = named(contents({}, auto_map={"AutoModel": "modeling.Model"}), "code")
    assert (check.status, check.allow) == ("ok", None)


def test_code_for_an_unknown_type_needs_an_allowance(contents, named) -> None:
    assert named(contents({}, auto_map={"AutoModel": "modeling.Model"}), "code", known=False).allow == "remote_code"


def test_an_unknown_type_without_code_is_an_error(contents, named) -> None:
    assert named(contents({}, model_type="invented"), "code", known=False).status == "error"


def test_a_missing_tokenizer_is_an_error_in_its_own_words(contents, named) -> None:
    check = named(contents({}), "tokenizer", fault="there is none")
    assert (check.status, check.message) == ("error", "there is none")


def test_a_type_that_the_weights_do_not_have_is_a_warning(contents, named) -> None:
    check = named(contents({}, torch_dtype="float16"), "dtype")
    assert check.status == "warning"
    assert 'dtype = "bfloat16"' in (check.fix or "")


def test_quantised_weights_are_a_warning(contents, named) -> None:
    assert named(contents({}, quantization_config={"bits": 4}), "dtype").status == "warning"
