"""Files of odd forms: what is in them is read as it is written, or refused in one line that says where."""

from __future__ import annotations

import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommenders.contract.errors import RecommenderError
from recommenders.data.interactions import Reading, read_interactions


def read(folder, name, content, **words):
    path = folder / name
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return read_interactions(path, Reading(**words))


def pairs(found):
    users, items = found.user.names[found.user.code], found.item.names[found.item.code]
    return list(zip(users.tolist(), items.tolist(), strict=True))


def lines(*rows):
    return "\n".join(map(json.dumps, rows)) + "\n"


BIG = 2**64 - 1


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (lines({"user": BIG, "item": 2**53 + 1}, {"user": BIG - 1, "item": -5}),
         [(str(BIG), str(2**53 + 1)), (str(BIG - 1), "-5")]),
        (lines({"user": "2019-01-01", "item": "2019-01-01T00:00:00+02:00"}),
         [("2019-01-01", "2019-01-01T00:00:00+02:00")]),
        (lines({"user": 1, "item": 7}, {"user": "u", "item": 7.0}), [("1", "7"), ("u", "7")]),
        (lines({"item": "a", "user": "1"}, {"user": "2", "more": [1], "item": "b"}), [("1", "a"), ("2", "b")]),
        ("\ufeff" + json.dumps([{"user": 1, "item": 2}, {"item": BIG, "user": 3}]), [("1", "2"), ("3", str(BIG))]),
        ('{"user": "\\ud83d", "item": 1}\n{"user": "\\ud83d\\ude00", "item": 1}\n', [("\\x3d\\xd8", "1"), ("😀", "1")]),
        ("{'item': 'a\u2028b', u'user': 1}\n{'user': 'x', 'item': 'c', 'late': 1}\n", [("1", "a\u2028b"), ("x", "c")]),
        (lines({"user": "é", "item": 1}).replace("\\u00e9", "é").encode("latin-1"), [("é", "1")]),
    ],
    ids=["large", "dates", "mixed", "later keys", "list", "half a pair", "literals", "latin-1"],
)  # fmt: skip
def test_objects_are_read_as_they_are_written(content, wanted, tmp_path):
    assert pairs(read(tmp_path, "x.json", content)) == wanted


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"user": 1, "user": 2, "item": 1}\n', "line 1 cannot be read as JSON .it has 'user' twice"),
        ('{"user": 1, "item": 1}\n\n{"user": 1', "line 3 cannot be read as JSON"),
        ("{'user': 1, 'item': 1}\n{'user': open('x'), 'item': 1}\n", "line 2 cannot be read as a Python literal"),
        ("[1, 2]", "row 0 is '1'"),
        ("5\n", "row 0 is '5'"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_what_is_no_object_is_said(content, says, tmp_path):
    with pytest.raises(RecommenderError, match=says):
        read(tmp_path, "x.json", content)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.csv", b"\xff\xfeu\x00s", "begins as UTF-16 and is not"),
        ("x.csv", "user,item\n", "the table has no rows"),
        ("x.csv.bz2", bz2.compress(b"user,item\n1,2\n")[:-5], "cannot be read"),
        ("x.csv.gz", gzip.compress(b"user,item\n1,2\n", mtime=0)[:-5], "cannot be read"),
        ("x.csv", 'user;item\n"1";"a"b"\n"2";"\\"c"\n', "line 2: ';' expected after"),
        (
            "x.parquet",
            pa.table({"user": pa.array([b"\xe9"]).view(pa.string()), "item": [1]}),
            "string that are no text",
        ),
        ("x.csv", "user,item,rating\n1,2,3\n1,3,1e300\n", r"holds 1e\+300 in row 1"),
        ("x.csv", "user,item,time\n1,2,1593878903000\n", "after the year 2286; .*columns.time.unit=ms"),
    ],
)
def test_damaged_files_are_said(name, content, says, tmp_path):
    with pytest.raises(RecommenderError, match=says):
        read(tmp_path, name, content, units={"time": "s"})


def test_odd_backslashes_in_literals_are_no_warning(tmp_path, recwarn):
    assert pairs(read(tmp_path, "x.json", "{'user': 1, 'item': 'a\\d'}\n")) == [("1", "a\\d")]
    assert not recwarn.list


def test_bytes_are_no_flag(tmp_path):
    (tmp_path / "own.yaml").write_text("tables: x.parquet\nflags: true\nevents: [bought]")
    table = pa.table({"user": [1, 2], "item": [1, 2], "odd": [b"\xff", b"1"], "bought": [True, False]})
    assert pairs(read(tmp_path, "x.parquet", table, layout=str(tmp_path / "own.yaml"))) == [("1", "1")]


def test_a_backslash_may_protect_a_quote(tmp_path):
    found = read(tmp_path, "x.csv", 'user;item\n"1";"a \\"b\\"; c"\n"2";"d"\n')
    assert pairs(found) == [("1", 'a "b"; c'), ("2", "d")]
    assert any("backslash" in note for note in found.notes)
    assert pairs(read(tmp_path, "x.csv", 'user;item\n"1";"a\\"\n"2";"d"\n')) == [("1", "a\\"), ("2", "d")]


def test_an_id_of_several_columns_is_of_all_of_them(tmp_path):
    text = "a,b,item\nx+y,z,1\nx,y+z,2\nx\\,y,3\n,z,4\n"
    found = read(tmp_path, "x.csv", text, columns={"user": "a+b"}, drop_missing=True)
    assert len(found.user.names) == 3
    assert found.left_out == {"no user (column 'a+b')": 1}
    whole = read(tmp_path, "x.parquet", pa.table({"a": [1, 2], "b": [7.0, None], "item": [1, 2]}),
                 columns={"user": "a+b"}, drop_missing=True)  # fmt: skip
    assert pairs(whole) == [("1+7", "1")]


@pytest.mark.parametrize("word", ["", "NA", "NULL", "nan", "\\N", " null "])
def test_words_for_nothing_are_missing_values_and_times_but_names_of_people(word, tmp_path):
    text = f"user,item,rating,time\nNULL,NA,3,1593878903\n1,2,{word},1593878904\n3,4,5,{word}\n"
    found = read(tmp_path, "x.csv", text, drop_missing=True)
    assert pairs(found) == [("NULL", "NA"), ("1", "2")]
    assert found.value.tolist()[0] == 3
    assert found.value[1] != found.value[1]
    assert list(found.left_out.values()) == [1]


def test_names_are_for_files_that_have_none(tmp_path):
    words = {"names": ("item", "user")}
    assert pairs(read(tmp_path, "x.csv", "1,2\n3,4\n", **words)) == [("2", "1"), ("4", "3")]
    assert pairs(read(tmp_path, "x.csv", "user,item\n1,2\n3,4\n", **words)) == [("1", "2"), ("3", "4")]
    assert pairs(read(tmp_path, "x.csv", "user,item\n1,2\n3,4\n", header=True, **words)) == [("2", "1"), ("4", "3")]


def test_lists_are_unfolded_side_by_side(tmp_path):
    (tmp_path / "own.yaml").write_text("tables: x.jsonl\nunfold: [item, time]\ncolumns: {user: u}")
    rows = lines({"u": "a", "item": [1, 2], "time": [5, 6]}, {"u": "b", "item": [], "time": []}, {"u": "c"})
    found = read(tmp_path, "x.jsonl", rows, layout=str(tmp_path / "own.yaml"))
    assert pairs(found) == [("a", "1"), ("a", "2")]
    assert found.times.seconds.tolist() == [5, 6]
    with pytest.raises(RecommenderError, match="'item' and 'time' are not of equal lengths"):
        read(tmp_path, "x.jsonl", lines({"u": "a", "item": [1], "time": []}), layout=str(tmp_path / "own.yaml"))


def test_text_of_any_width_is_text(tmp_path):
    table = pa.table({"user": pa.array(["a", "b"], pa.string_view()), "item": pa.array(["1", "2"], pa.large_string())})
    assert pairs(read(tmp_path, "x.parquet", table)) == [("a", "1"), ("b", "2")]


def test_a_folder_without_a_known_table_says_what_it_has(tmp_path):
    (tmp_path / "clicks.csv").write_text("user,item\n1,2\n")
    with pytest.raises(RecommenderError, match=r"data=FILE reads one file, as clicks\.csv"):
        read_interactions(tmp_path, Reading())
