"""Whatever a plug-in does, its user reads one line that names it, and the exit code is 2."""

from __future__ import annotations

import sys

import pytest

from simulator.__main__ import main
from simulator.config import resolve
from simulator.errors import RunInterrupted
from simulator.world import run_world

HEAD = """
import sys
import numpy as np
from recommenders.contract import Recommender, Slates

class Mine(Recommender):
    name = "mine"
    reproducibility = "exact"
    def good(self, q):
        s = np.full((len(q), q.slate_size), -1, np.int32)
        s[:, : q.filled] = q.candidates[: q.filled]
        return s
    def odds(self, q):
        return np.ones((len(q), q.slate_size), np.float32)
    def recommend(self, q):
        return Slates(self.good(q))
"""
TINY = ["scenario=shortvideo", "users=30", "items=60", "horizon=3h", "first_fit=1h", "refit=1h", "checkpoint=1h"]


def refusal(capsys, tmp_path, recommender, *more):
    """The one line of a run that is refused."""
    code = main([*TINY, f"recommender={recommender}", f"output={tmp_path / 'run'}", *more])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert code == 2
    assert len(lines) == 1
    return lines[0]


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that writes the module `mine` and forgets any of that name that was imported before."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def write(body, head=HEAD):
        sys.modules.pop("mine", None)
        (tmp_path / "mine.py").write_text(head + body)

    yield write
    sys.modules.pop("mine", None)


def recommending(answer):
    return f"    def recommend(self, q):\n        {answer}\n"


ANSWERS = {
    "return None": "answers None; expected Slates",
    "return self.good(q)": "answers an array of int32; expected Slates",
    "return (self.good(q), None)": "answers a tuple; expected Slates",
    "return {'items': self.good(q)}": "answers a dict; expected Slates",
    "return Slates": "answers a type; expected Slates",
    "return Slates(None)": "its slates are None; expected an array, int32",
    "return Slates(self.good(q).tolist())": "its slates are a list; expected an array, int32",
    "return Slates(np.ma.array(self.good(q)))": "its slates are a MaskedArray; expected an array, int32",
    "return Slates(self.good(q)[0])": "its slates have shape",
    "return Slates(self.good(q)[:, :-1])": "its slates have shape",
    "return Slates(self.good(q)[..., None])": "its slates have shape",
    "return Slates(self.good(q).astype(np.int64))": "its slates are int64; expected int32",
    "return Slates(self.good(q).astype(float))": "its slates are float64; expected int32",
    "return Slates(self.good(q).astype(object))": "its slates are object; expected int32",
    "return Slates(self.good(q).astype('>i4'))": "its slates are >i4; expected int32",
    "return Slates(self.good(q).astype(str))": "its slates are <U",
    "return Slates(self.good(q), [[0.5] * q.slate_size] * len(q))": "its propensities are a list; expected an array",
    "return Slates(self.good(q), 0.5)": "its propensities are a float; expected an array",
    "return Slates(self.good(q), self.odds(q)[:, 0])": "its propensities have shape",
    "return Slates(self.good(q), self.odds(q).astype(object))": "its propensities are object; expected float32",
    "return Slates(self.good(q), self.odds(q).astype(int))": "its propensities are int64; expected float32",
    "return Slates(self.good(q), -self.odds(q))": "a propensity is outside (0, 1]: -1.0 for item",
    "return Slates(self.good(q), 2 * self.odds(q))": "a propensity is outside (0, 1]: 2.0 for item",
    "return Slates(self.good(q), 0 * self.odds(q))": "a propensity is outside (0, 1]: 0.0 for item",
    "return Slates(self.good(q), np.nan * self.odds(q))": "a propensity is outside (0, 1]: nan for item",
    "return Slates(self.good(q), 1e-60 * self.odds(q).astype(np.float64))": "a propensity is outside (0, 1]: 0.0 for",
    "raise ValueError('two\\nlines')": "recommend raises ValueError: two lines (mine.py, line",
    "return 1 / 0": "recommend raises ZeroDivisionError: division by zero (mine.py, line",
    "sys.exit(7)": "recommend raises SystemExit: 7 (mine.py, line",
    "sys.exit()": "recommend raises SystemExit (mine.py, line",
    "raise KeyboardInterrupt": "recommend raises KeyboardInterrupt (mine.py, line",
    "raise BaseException('odd')": "recommend raises BaseException: odd (mine.py, line",
    "return self.recommend(q)": "recommend raises RecursionError: maximum recursion depth exceeded",
    "np.linalg.inv(np.zeros((2, 2)))": "recommend raises LinAlgError: Singular matrix (mine.py, line",
    "q.candidates[0] = 3": "recommend raises ValueError: assignment destination is read-only (mine.py, line",
    "q.candidates.setflags(write=True)": "cannot set WRITEABLE flag to True of this array (mine.py, line",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_none_is_called_by_its_name(answer, written, capsys, tmp_path):
    written(recommending(answer))
    line = refusal(capsys, tmp_path, "mine:Mine")
    assert line.startswith("error: recommender mine: ")
    assert ANSWERS[answer] in line


METHODS = {
    "def __init__(self, **given): raise OSError('no file')": "its constructor raises OSError: no file (mine.py, line",
    "def __init__(self, **given): sys.exit(0)": "its constructor raises SystemExit: 0 (mine.py, line",
    "def check(self, catalog): return catalog.nothing": "check raises AttributeError: 'Catalog' object has no",
    "def check(self, catalog): catalog.columns['type'] = 1": "does not support item assignment (mine.py, line",
    "def fit(self, log): pass": "fit raises TypeError: Mine.fit() takes 2 positional arguments but 3 were given",
    "def fit(self, log, catalog): raise MemoryError": "fit raises MemoryError (mine.py, line",
    "def fit(self, log, catalog): log.item[:] = 0": "fit raises ValueError: assignment destination is read-only",
    "def fit(self, log, catalog): exit()": "fit raises SystemExit",
    "def update(self, events): raise KeyError('x')": "update raises KeyError: 'x' (mine.py, line",
    "def state(self): return None": "state() is None; expected plain numpy arrays by name",
    "def state(self): return [1]": "state() is a list; expected plain numpy arrays by name",
    "def state(self): return {'a': 1.0}": "state()['a'] is a float; expected plain numpy arrays",
    "def state(self): return {'a': None}": "state()['a'] is None; expected plain numpy arrays",
    "def state(self): return {'a': np.array([{}])}": "state()['a'] is an array of object; expected plain numpy arrays",
    "def state(self): return {1: np.zeros(1)}": "state() has the key 1; expected names",
    "def state(self): raise RuntimeError('cuda')": "state raises RuntimeError: cuda (mine.py, line",
}


@pytest.mark.parametrize("method", METHODS)
def test_what_another_method_does_is_called_by_its_name(method, written, capsys, tmp_path):
    written(f"    {method}\n")
    line = refusal(capsys, tmp_path, "mine:Mine")
    assert line.startswith("error: recommender mine")
    assert METHODS[method] in line


def test_a_state_that_cannot_be_restored_is_called_by_its_name(written, capsys, tmp_path):
    written("    def restore(self, state): self.a = state['a']\n")
    ticks = iter(range(1000))
    settings = {"scenario": "shortvideo", "users": 30, "items": 60, "horizon": "3h", "first_fit": "1h"}
    config = resolve([*settings.items(), ("recommender", "mine:Mine"), ("output", str(tmp_path / "run"))])
    with pytest.raises(RunInterrupted):
        run_world(config, stop=lambda: next(ticks) > 6)
    assert main([f"resume={tmp_path / 'run'}"]) == 2
    assert "error: recommender mine: restore raises KeyError: 'a' (mine.py, line" in capsys.readouterr().err


MODULES = {
    "import nothing_of_that_name": "cannot import 'mine' (No module named 'nothing_of_that_name')",
    "from numpy import nothing_of_that_name": "cannot import 'mine' (ImportError: cannot import name",
    "def broken(:": "cannot import 'mine' (SyntaxError: invalid syntax (mine.py, line 1))",
    "  x = 1": "cannot import 'mine' (IndentationError: unexpected indent (mine.py, line 1))",
    "1 / 0": "cannot import 'mine' (ZeroDivisionError: division by zero)",
    "import sys; sys.exit(3)": "cannot import 'mine' (SystemExit: 3)",
    "raise KeyboardInterrupt": "cannot import 'mine' (KeyboardInterrupt)",
    "": "'mine' has no class 'Mine'",
    "Mine = 3": "'mine' has no class 'Mine'",
    "def Mine(): pass": "'mine' has no class 'Mine'",
    "class Mien: pass": "'mine' has no class 'Mine'; did you mean 'Mien'?",
    "class Mine: pass": "is no recommender; expected a class derived from recommenders.contract.Recommender",
    "class Mine:\n    def fit(self): 0\n    def recommend(self): 0": "is no recommender; expected a class derived from",
    "def __getattr__(name): raise RuntimeError(name)": "its module raises RuntimeError: Mine",
}


@pytest.mark.parametrize("text", MODULES)
def test_a_module_that_holds_no_recommender_is_called_by_its_name(text, written, capsys, tmp_path):
    written(text, head="")
    line = refusal(capsys, tmp_path, "mine:Mine")
    assert line.startswith("error: recommender mine:Mine: ")
    assert MODULES[text] in line


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("./mine.py:Mine", "is no import path; expected package.module:Class"),
        ("/tmp/mine:Mine", "is no import path"),
        ("folder/mine:Mine", "is no import path"),
        ("my mine:Mine", "is no import path"),
        ("..mine:Mine", "is no import path"),
        ("mine:", "is no import path"),
        (":Mine", "is no import path"),
        ("mine:Mine()", "is no import path"),
        ("mine:Mine:Mine", "is no import path"),
        ("mine:Mine.", "is no import path"),
        ("mine.py:Mine", "cannot import 'mine.py' (No module named 'mine.py'; 'mine' is not a package)"),
        ("folder:Mine", "'folder' has no class 'Mine'"),
        ("mine:Mine.Inner", "'mine' has no class 'Mine.Inner'"),
        ("mine:np.ndarray", "'mine' has no class 'np.ndarray'"),
        ("mine:Recommender", "recommend raises NotImplementedError: Recommender does not implement recommend"),
    ],
)
def test_an_odd_path_is_called_by_its_name(path, message, written, capsys, tmp_path):
    written("")
    (tmp_path / "folder").mkdir()
    assert message in refusal(capsys, tmp_path, path)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ("None", "mine gives no scores, which normalize=minmax adds up"),
        ("[[1.0]]", "recommender mine: its scores are a list; expected an array, float32"),
        ("np.ones((len(q), 3), np.float32)", "recommender mine: its scores have shape"),
        ("np.ones((len(q), 60), object)", "recommender mine: its scores are object; expected float32"),
        ("np.full((len(q), 60), np.inf, np.float32)", "recommender mine: its scores hold infinity"),
        ("1 / 0", "recommender mine: scores raises ZeroDivisionError: division by zero (mine.py, line"),
    ],
)
def test_scores_that_are_none_are_called_by_their_name(scores, message, written, capsys, tmp_path):
    written(f"    def scores(self, q):\n        return {scores}\n")
    given = "recommender.members=mine:Mine+popularity", "recommender.normalize=minmax"
    assert message in refusal(capsys, tmp_path, "ensemble", *given)


@pytest.mark.parametrize("outer", ["ensemble recommender.members=mine:Mine", "exploring recommender.member=mine:Mine",
                                   "pipeline recommender.recall=mine:Mine recommender.rerank=popularity"])  # fmt: skip
def test_a_members_bad_answer_is_the_members(outer, written, capsys, tmp_path):
    written(recommending("return [1, 2]"))
    name, *given = outer.split()
    assert "error: recommender mine: answers a list; expected Slates" in refusal(capsys, tmp_path, name, *given)
