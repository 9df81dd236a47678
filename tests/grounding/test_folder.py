"""Reading a catalog folder: what is recognised, what is assumed, and one clear line for everything that is wrong."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.errors import InputError
from simulator.grounding.folder import TEST, TRAIN, VALIDATION, read_folder


def parquet(path: Path, **columns):
    pq.write_table(pa.table(columns), path)


def fails(folder: Path, *words: str, **arguments):
    """The folder is refused with one line that holds all the words."""
    with pytest.raises(InputError) as caught:
        read_folder(folder, **arguments)
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line, line


@pytest.fixture
def good(tmp_path: Path) -> Path:
    parquet(tmp_path / "items.parquet", item_id=["b", "a", "c"], duration_ms=[1500, 0, 3000], author=[7, 7, 8])
    (tmp_path / "features").mkdir()
    np.savez(tmp_path / "features" / "image.npz", feat=np.arange(6.0).reshape(3, 2))
    np.save(tmp_path / "features" / "audio.npy", np.ones((3, 4), dtype=np.float16))
    parquet(
        tmp_path / "interactions.parquet",
        user_id=[30, 10, 30],
        video_id=["a", "c", "b"],
        timestamp_ms=[5000, 6000, 7000],
        split=["train", "valid", "test"],
    )
    return tmp_path


def test_a_whole_folder(good: Path):
    folder = read_folder(good)
    assert (folder.n_items, folder.n_users) == (3, 2)
    assert folder.item_ids.tolist() == ["b", "a", "c"]
    assert folder.user_ids.tolist() == ["10", "30"]
    log = folder.interactions
    assert log is not None
    assert log.user.tolist() == [1, 0, 1]
    assert log.item.tolist() == [1, 2, 0]
    assert log.time is not None
    assert log.time.tolist() == [5.0, 6.0, 7.0]
    assert log.split is not None
    assert log.split.tolist() == [TRAIN, VALIDATION, TEST]
    assert log.value is None
    assert {name: matrix.shape for name, matrix in folder.features.items()} == {"audio": (3, 4), "video": (3, 2)}
    assert folder.sources == {"audio": "features/audio.npy", "video": "features/image.npz"}
    np.testing.assert_array_equal(folder.columns["duration"], np.array([1.5, np.nan, 3.0], dtype=np.float32))
    assert folder.columns["creator"].tolist() == [7, 7, 8]
    said = " / ".join(folder.assumptions)
    for word in ("frames of the video", "'user_id'", "'video_id'", "'author'", "1 items have no duration"):
        assert word in said


def test_features_alone(tmp_path: Path):
    np.savez(tmp_path / "image_feat.npz", whatever=np.ones((4, 2)))
    folder = read_folder(tmp_path)
    assert folder.item_ids.tolist() == ["0", "1", "2", "3"]
    assert folder.interactions is None
    assert folder.n_users == 0


def test_interactions_alone(tmp_path: Path):
    parquet(tmp_path / "interactions.parquet", user=[1.0, 2.0], item=[9, 4])
    folder = read_folder(tmp_path)
    assert folder.item_ids.tolist() == ["4", "9"]
    assert folder.user_ids.tolist() == ["1", "2"]


def test_the_mapping_file_names_columns_and_modalities(tmp_path: Path):
    np.savez(tmp_path / "image_feat.npz", feat=np.ones((2, 2)))
    np.savez(tmp_path / "extra_feat.npz", feat=np.ones((2, 2)))
    parquet(tmp_path / "interactions.parquet", who=[5, 6], what=[0, 1], stars=[1, 2])
    (tmp_path / "mapping.yaml").write_text(
        "columns: {user: who, item: what, value: stars}\nmodalities: {image: cover, extra: null}\n"
    )
    folder = read_folder(tmp_path, known=("cover", "audio"))
    assert list(folder.features) == ["cover"]
    assert folder.interactions is not None
    assert folder.interactions.value is not None
    assert folder.interactions.value.tolist() == [1, 2]
    told = read_folder(tmp_path, modalities={"image": "audio"}, known=("cover", "audio"))
    assert list(told.features) == ["audio"]


@pytest.mark.parametrize(
    ("known", "modality"), [(("video", "cover"), "video"), (("cover", "title"), "cover"), (("image", "video"), "image")]
)
def test_which_modality_image_features_describe(tmp_path: Path, known: tuple[str, ...], modality: str):
    np.savez(tmp_path / "image_feat.npz", feat=np.ones((2, 2)))
    folder = read_folder(tmp_path, known=known)
    assert list(folder.features) == [modality]
    assert any("assumed" in line for line in folder.assumptions) == (modality != "image")


def test_dates_become_seconds_and_categories_texts(tmp_path: Path):
    times = pa.array([0, 90_000], type=pa.timestamp("ms"))
    items = pa.array(["x", "y"]).dictionary_encode()
    parquet(tmp_path / "interactions.parquet", user=[1, 2], item=items, time=times)
    folder = read_folder(tmp_path)
    assert folder.item_ids.tolist() == ["x", "y"]
    assert folder.interactions is not None
    assert folder.interactions.time is not None
    assert folder.interactions.time.tolist() == [0.0, 90.0]


def test_a_missing_and_an_empty_folder(tmp_path: Path):
    fails(tmp_path / "none", "no such folder")
    fails(tmp_path, "holds no catalog", "items.parquet")


@pytest.mark.parametrize("name", ["items.parquet", "interactions.parquet"])
def test_corrupt_parquet(good: Path, name: str):
    whole = (good / name).read_bytes()
    (good / name).write_bytes(whole[: len(whole) // 2])
    fails(good, name, "cannot be read as Parquet")


@pytest.mark.parametrize("name", ["items.parquet", "interactions.parquet"])
def test_an_empty_table(good: Path, name: str):
    pq.write_table(pq.read_table(good / name).slice(0, 0), good / name)
    fails(good, name, "no rows")


@pytest.mark.parametrize("damage", ["cut", "text", "pickle"])
def test_corrupt_features(good: Path, damage: str):
    file = good / "features" / "image.npz"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "text":
        file.write_text("not a zip")
    else:
        np.savez(file, feat=np.array([{"a": 1}], dtype=object))
    fails(good, "image.npz", "cannot be read")


def test_a_damaged_array_inside_an_intact_archive(good: Path):
    file = good / "features" / "image.npz"
    inner = io.BytesIO()
    np.save(inner, np.ones((3, 2)))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("feat.npy", inner.getvalue()[:-8])
    fails(good, "image.npz", "cannot be read")


def test_features_of_another_row_count(good: Path):
    np.savez(good / "features" / "image.npz", feat=np.ones((4, 2)))
    fails(good, "image.npz", "4 rows", "expected 3")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_with_nan_or_infinity(good: Path, bad: float):
    features = np.ones((3, 2))
    features[1:, 0] = bad
    np.savez(good / "features" / "image.npz", feat=features)
    fails(good, "image.npz", "2 rows", "row 1")


def test_features_beyond_single_precision(good: Path):
    np.savez(good / "features" / "image.npz", feat=np.full((3, 2), 1e300))
    fails(good, "image.npz", "too large")


@pytest.mark.parametrize("array", [np.ones(3), np.ones((3, 2, 1)), np.array([["a"], ["b"], ["c"]]), np.ones((3, 0))])
def test_features_that_are_no_matrix_of_numbers(good: Path, array: np.ndarray):
    np.savez(good / "features" / "image.npz", feat=array)
    fails(good, "image.npz", "expected numbers of shape")


def test_an_archive_of_two_arrays_and_two_files_of_one_name(good: Path):
    np.savez(good / "features" / "image.npz", one=np.ones((3, 2)), two=np.ones((3, 2)))
    fails(good, "image.npz", "one, two")
    np.savez(good / "audio_feat.npz", feat=np.ones((3, 2)))
    fails(good, "two files", "audio")


def test_interactions_with_absent_items(good: Path):
    parquet(good / "interactions.parquet", user=[1, 2, 3], item=["a", "z", "q"])
    fails(good, "interactions.parquet", "2 interactions name absent items", "item z in row 1")


def test_ids_are_names_whatever_their_type(tmp_path: Path):
    parquet(tmp_path / "items.parquet", item=pa.array([2**63 + 5, 7], pa.uint64()))
    parquet(tmp_path / "interactions.parquet", user=[1, 2], item=["7", str(2**63 + 5)])
    folder = read_folder(tmp_path)
    assert folder.interactions is not None
    assert folder.interactions.item.tolist() == [1, 0]
    parquet(tmp_path / "interactions.parquet", user=[1], item=["007"])
    fails(tmp_path, "1 interactions name absent items", "item 007 in row 0")


def test_durations_in_milliseconds_are_no_seconds(tmp_path: Path):
    parquet(tmp_path / "items.parquet", item=[1, 2], duration=[9000, 15000])
    assert read_folder(tmp_path).columns["duration"].tolist() == [9000, 15000]
    (tmp_path / "mapping.yaml").write_text("units: {duration: ms}\n")
    assert read_folder(tmp_path).columns["duration"].tolist() == [9, 15]
    (tmp_path / "mapping.yaml").write_text("units: {duration: msec}\n")
    fails(tmp_path, "'msec' is no unit of a duration", "ms")


def test_text_tables_are_read_as_parquet_is(tmp_path: Path):
    (tmp_path / "items.csv").write_text("item_id;author\n01;x\n02;y\n")
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\na,02,2020-01-01\n")
    folder = read_folder(tmp_path)
    assert folder.item_ids.tolist() == ["01", "02"]
    assert folder.columns["creator"].tolist() == ["x", "y"]
    assert folder.interactions is not None
    assert folder.interactions.item.tolist() == [1]
    assert folder.interactions.time is not None
    assert folder.interactions.time.tolist() == [1577836800.0]


def test_row_numbers_beyond_the_features(tmp_path: Path):
    np.savez(tmp_path / "image_feat.npz", feat=np.ones((2, 2)))
    parquet(tmp_path / "interactions.parquet", user=[1, 1], item=[1, 2])
    fails(tmp_path, "item 2 in row 1", "0 to 1")


def test_a_missing_column_with_its_nearest_match(good: Path):
    parquet(good / "interactions.parquet", usr_id=[1], item=["a"])
    fails(good, "no column for the user", "did you mean 'usr_id'?", "mapping.yaml")


def test_missing_ids(good: Path):
    parquet(good / "interactions.parquet", user=[1, None], item=["a", "b"])
    fails(good, "'user'", "1 missing", "row 1")
    parquet(good / "interactions.parquet", user=[1, 2], item=["a", None])
    fails(good, "'item'", "1 missing", "row 1")


def test_an_item_twice(good: Path):
    parquet(good / "items.parquet", item=["a", "b", "a"])
    fails(good, "items.parquet", "item a occurs 2 times")


def test_bad_values(good: Path):
    parquet(good / "interactions.parquet", user=[1], item=["a"], split=["later"])
    fails(good, "'later'", "train, validation, test")
    parquet(good / "interactions.parquet", user=[1], item=["a"], time=["noon"])
    fails(good, "'time'", "'noon'", "expected numbers or dates")
    parquet(good / "interactions.parquet", user=[1], item=["a"], time=pa.array([None], type=pa.float64()))
    fails(good, "'time'", "1 missing")
    (good / "interactions.parquet").unlink()
    parquet(good / "items.parquet", item=["a", "b", "c"], duration=[1.0, -2.0, 3.0])
    fails(good, "duration in row 1 is -2")


def test_a_usual_set_is_a_catalog_by_its_files(tmp_path: Path):
    rows = "user_id,video_id,time_ms,is_click,is_like\n7,1,1650502963025,1,0\n7,2,1650502963026,0,1\n8,1,1,0,0\n"
    (tmp_path / "log_standard_4_08_to_4_21_pure.csv").write_text(rows)
    fails(tmp_path, "columns of 0 and 1", "events: [EVENT]")
    (tmp_path / "mapping.yaml").write_text("events: [is_click, is_like]\n")
    folder = read_folder(tmp_path)
    assert folder.item_ids.tolist() == ["1", "2"]
    assert folder.user_ids.tolist() == ["7"]
    assert any("layout=kuairand" in each for each in folder.assumptions)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("column: {user: user_id}\n", ("column", "did you mean 'columns'?")),
        ("columns: {usr: user_id}\n", ("columns.usr", "did you mean 'user'?")),
        ("columns: {user: userid}\n", ("has no 'userid'", "did you mean 'user_id'?")),
        ("columns: [user]\n", ("columns", "is not a map")),
        ("columns: {user: 3}\n", ("columns.user", "3 is not a name")),
        ("modalities: {images: video}\n", ("'images'", "did you mean 'image'?")),
        ("modalities: {image: audio}\n", ("both describe 'audio'",)),
    ],
)
def test_mistakes_in_the_mapping_file(good: Path, text: str, words: tuple[str, ...]):
    (good / "mapping.yaml").write_text(text)
    fails(good, *words)


def test_a_modality_that_the_scenario_does_not_have(good: Path):
    fails(
        good, "'vidoe', which is no modality", "did you mean 'video'?", modalities={"image": "vidoe"}, known=("video",)
    )
    fails(good, "'image' fit none of the modalities", known=("audio",))
