"""Finding and reading scenario files."""

import re
import shutil
import subprocess
import sys

import pytest

from simulator.errors import InputError
from simulator.scenario.load import available_scenarios, load_scenario


def test_what_there_is():
    names = available_scenarios()
    assert "shortvideo" in names
    assert names == sorted(names)
    assert not any(name.endswith(".sources") for name in names)


def test_an_unknown_name_gets_the_nearest_and_the_list():
    with pytest.raises(InputError, match="unknown scenario 'shortvido'; did you mean shortvideo") as error:
        load_scenario("shortvido")
    assert all(name in str(error.value) for name in available_scenarios())


def test_by_path_and_by_name_are_the_same_scenario(tmp_path):
    original = load_scenario("shortvideo")
    for file in (original.path, original.path.with_name("shortvideo.sources.yaml")):
        shutil.copy(file, tmp_path)
    copied = load_scenario(tmp_path / "shortvideo.yaml")
    assert copied.model_dump() == original.model_dump()
    assert copied.hash == original.hash
    assert copied.sources == original.sources != {}
    assert copied.path == (tmp_path / "shortvideo.yaml").resolve()


def test_comments_and_layout_do_not_change_the_hash(tmp_path):
    original = load_scenario("shortvideo")
    path = tmp_path / "x.yaml"
    text = original.path.read_text(encoding="utf-8")
    path.write_text("# a comment\n\n" + text, encoding="utf-8")
    assert load_scenario(str(path)).hash == original.hash
    path.write_text(re.sub(r"\n  items: \d+", "\n  items: 77777", text), encoding="utf-8")
    assert load_scenario(str(path)).hash != original.hash


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"hotel\.yaml: no such file"):
        load_scenario(str(tmp_path / "hotel.yaml"))


def test_a_repeated_key_names_file_and_line(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(load_scenario("shortvideo").path.read_text(encoding="utf-8") + "version: 2\n", encoding="utf-8")
    line = len(path.read_text(encoding="utf-8").splitlines())
    with pytest.raises(InputError, match=rf"x\.yaml, line {line}: key 'version' is repeated"):
        load_scenario(path)


def test_sources_are_texts(tmp_path):
    path = tmp_path / "x.yaml"
    shutil.copy(load_scenario("shortvideo").path, path)
    (tmp_path / "x.sources.yaml").write_text("B0: 3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.sources\.yaml: B0 = 3; expected a text"):
        load_scenario(path)


def test_reading_a_scenario_imports_nothing_heavy():
    code = (
        "import sys; from simulator import check_scenario, load_scenario; "
        "check_scenario(load_scenario('shortvideo')); "
        "print([m for m in ('numba', 'pandas', 'pyarrow', 'torch', 'scipy', 'sklearn') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_of_two_folders_with_one_name_the_first_on_the_path_counts(tmp_path, monkeypatch):
    """As for modules: a checkout's own scenarios go before those of an installed one."""
    from simulator.scenario import load

    for place in ("own", "installed"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "spa.yaml").write_text("scenario: spa\n")
    (tmp_path / "installed" / "zoo.yaml").write_text("scenario: zoo\n")
    monkeypatch.setattr(load, "_folders", lambda: [tmp_path / "own", tmp_path / "installed"])
    assert load.available_scenarios() == ["spa", "zoo"]
    assert load._packaged()["spa"] == tmp_path / "own" / "spa.yaml"
