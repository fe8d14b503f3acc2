"""Which results of an earlier run count."""

import pathlib

import pytest

import mutants_results


@pytest.fixture
def run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    """Returns a function that begins a run with these digests of the sources and of all code."""

    def begin(sources: str, code: str) -> mutants_results.Results:
        monkeypatch.setattr(mutants_results, "FILE", tmp_path / "mutants" / "results.json")
        digests = {mutants_results.SOURCES: sources, mutants_results.CODE: code}
        monkeypatch.setattr(mutants_results, "digest_of", lambda wanted, shortened=bytes: digests[wanted])
        return mutants_results.Results()

    return begin


def test_a_run_of_the_same_code_goes_on(run) -> None:
    first = run("1", "1")
    first.unviable = ["c"]
    first.take("a", "round", "a test")
    first.take("b", "round", None)
    first.save()
    second = run("1", "1")
    assert not second.is_open("a", "round")
    assert not second.is_open("b", "round")
    assert second.is_open("b", "next round")
    assert second.unviable == ["c"]


def test_after_a_change_of_tests_only_what_was_not_noticed_runs_again(run) -> None:
    first = run("1", "1")
    first.take("a", "round", "a test")
    first.take("b", "round", None)
    first.save()
    second = run("1", "2")
    assert not second.is_open("a", "round")
    assert second.is_open("b", "round")


def test_after_a_change_of_the_sources_everything_runs_again(run) -> None:
    first = run("1", "1")
    first.unviable = ["c"]
    first.take("a", "round", "a test")
    first.save()
    second = run("2", "2")
    assert second.is_open("a", "round")
    assert second.unviable == []
