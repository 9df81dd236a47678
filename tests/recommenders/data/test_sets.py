"""Usual public data sets, each as a small made-up file of the very form in which it is published."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommenders.__main__ import main
from recommenders.contract.errors import RecommenderError
from recommenders.data.interactions import Reading, read_interactions
from recommenders.data.layouts import layout_of, shipped

PAGE = Path(__file__).resolve().parents[3] / "docs/data.md"


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


MOVIES = [("196", "242", 881250949, 3), ("186", "302", 891717742, 3.5), ("22", "242", 878887116, 1)]
REVIEWS = [
    ("A1", "0143026860", 1424304000, 1),
    ("A2", "B00LIBEPDS", 1405900800, 5),
    ("A1", "B00LIBEPDS", 1405468800, 2),
]
FEATURES = "cef3390ed299c098", "03a5648a76832f83", "7bc94a2da491829b", "9bde591ffaab8d54"
AUSTRALIAN = (
    "{'user_id': '76561197970982479', 'user_url': 'http://x', 'reviews': [{'funny': '', 'posted': 'Posted November 5, "
    "2011.', 'last_edited': '', 'item_id': '1250', 'recommend': True, 'review': 'It\\'s \\ud83d\\ude00'}, "
    "{'funny': '', 'posted': 'Posted July 14.', 'item_id': '22200', 'recommend': False, 'review': \"a \\u2028 b\"}]}\n"
    "{'user_id': 'js41637', 'user_url': 'http://y', 'reviews': []}\n"
    "{'user_id': 'evcentric', 'user_url': 'http://z', 'reviews': [{'item_id': '248820', 'recommend': True}]}\n"
)
OWNED = (
    "{'user_id': 'js41637', 'items_count': 2, 'steam_id': '76561198035864385', 'items': [{'item_id': '10', "
    "'item_name': 'Counter-Strike', 'playtime_forever': 6, 'playtime_2weeks': 0}, {'item_id': '20', "
    "'playtime_forever': 0}]}\n"
)
STEAM = (
    "{u'username': u'Chaos Syren', u'hours': 0.1, u'products': 41, u'product_id': u'725280', u'date': u'2017-12-17', "
    "u'text': u'it\\'s \\u2028', u'early_access': False}\n"
    "{u'username': u'Ariman1', u'hours': 13.2, u'user_id': u'76561198007483075', u'product_id': u'328100', "
    "u'date': u'2017-08-02', u'text': u''}\n"
)
KUAIREC = (
    "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
    "0,3649,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.2733965215790926\n"
    "0,9598,13665,10984,2020-07-05 00:13:41.297,20200705,1593879221.297,1.2440823015294975\n"
)
KUAIREC_ROWS = [("0", "3649", 1593878903.438, 1.2733965), ("0", "9598", 1593879221.297, 1.2440823)]
REES46 = (
    "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
    "2019-11-01 00:00:00 UTC,view,1003461,2053013555631882655,electronics.smartphone,xiaomi,489.07,520088904,4d3b30da\n"
    "2019-11-01 00:00:01 UTC,remove_from_cart,5000088,2053013566100866035,,janome,293.65,530496790,8e5f4f83\n"
    "2019-11-01 00:00:02 UTC,purchase,1003461,2053013555631882655,,,489.07,530496790,8e5f4f83\n"
)
AMAZON_2018 = lines(
    *(
        {"overall": value, "verified": True, "reviewTime": "09 1, 2016", "reviewerID": user, "asin": item,
         "style": {"Size:": " 7"}, "reviewText": "é", "unixReviewTime": time, "image": ["u"]}
        for user, item, time, value in REVIEWS
    )
)  # fmt: skip
AMAZON_2023 = lines(
    {"rating": 5.0, "title": "t", "text": "x", "images": [], "asin": "B00YQ6X8EO", "parent_asin": "B00YQ6X8E0",
     "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ", "timestamp": 1588687728923, "verified_purchase": True},
    {"rating": 4.0, "asin": "B081TJ8YS3", "parent_asin": "B081TJ8YS3", "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ",
     "timestamp": 1588615855070},
)  # fmt: skip
AMAZON_2023_ROWS = [
    ("AGKHLEW2SOWHNMFQIJGBECAF7INQ", "B00YQ6X8E0", 1588687728.923, 5),
    ("AGKHLEW2SOWHNMFQIJGBECAF7INQ", "B081TJ8YS3", 1588615855.070, 4),
]
RATED = "user_id,parent_asin,rating,timestamp\n"
BEST = "AGKASBHYZPGTEPO6LWZPVJWB2BVA,B00V6R3R3S,5.0,1452647102000\n", "AGKAS,B00PA7VMD2,3.0,1452648690000\n"
BEST_ROWS = [("AGKASBHYZPGTEPO6LWZPVJWB2BVA", "B00V6R3R3S", 1452647102, 5), ("AGKAS", "B00PA7VMD2", 1452648690, 3)]
BANDIT = "".join(
    f"{k},2019-11-24 00:0{k}:13.442536+00:00,{14 + k},{1 + k},{k},0.0294,{','.join(FEATURES)},0.0,1.0\n"
    for k in range(2)
)
YAMBDA = {
    "uid": pa.array([100, 100, 200], pa.uint32()),
    "timestamp": pa.array([39420, 39625, 25999995], pa.uint32()),
    "item_id": pa.array([8326270, 1441281, 8326270], pa.uint32()),
    "is_organic": pa.array([0, 1, 1], pa.uint8()),
}
EVENTS = pa.array(["listen", "dislike", "like"]).dictionary_encode()
ONE_EACH = [("100", "8326270", 39420, 96), ("200", "8326270", 25999995, None)]

# set -> (files, words of the reading, rows: user, item, time, value)
SETS = {
    "movielens 100k": (
        "movielens", {"u.data": "".join(f"{u}\t{i}\t{v}\t{t}\n" for u, i, t, v in MOVIES)}, {}, MOVIES,
    ),
    "movielens latest": (
        "movielens",
        {"ratings.csv": "userId,movieId,rating,timestamp\n" + "".join(f"{u},{i},{v},{t}\n" for u, i, t, v in MOVIES)},
        {}, MOVIES,
    ),
    "movielens 1M": (
        "movielens", {"ratings.dat": "".join(f"{u}::{i}::{v}::{t}\n" for u, i, t, v in MOVIES),
                      "movies.dat": "1::Café (1995)::Comedy\n"}, {}, MOVIES,
    ),
    "bookcrossing": (
        "bookcrossing",
        {"BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n'
         '"276726";"0155061224";"5"\r\n"276726";"é;\\"1\\"";"3"\r\n'.encode("latin-1")},
        {"at_least": 1}, [("276726", "0155061224", None, 5), ("276726", 'é;"1"', None, 3)],
    ),
    "bookcrossing kaggle": (
        "bookcrossing",
        {"Ratings.csv": 'User-ID,ISBN,Book-Rating\n276725,034545104X,0\n276726,"0 907 062 008",5\n'},
        {}, [("276725", "034545104X", None, 0), ("276726", "0 907 062 008", None, 5)],
    ),
    "lastfm": (
        "lastfm", {"user_artists.dat": "userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n"}, {},
        [("2", "51", None, 13883), ("2", "52", None, 11690)],
    ),
    "lastfm tags": (
        "lastfm",
        {"user_taggedartists-timestamps.dat": "userID\tartistID\ttagID\ttimestamp\r\n2\t52\t13\t1238536800000\r\n"
         "2\t53\t15\t-428720400000\r\n"},
        {}, [("2", "52", 1238536800, None), ("2", "53", -428720400, None)],
    ),
    "steam-200k": (
        "steam-200k",
        {"steam-200k.csv": '151603712,"The Elder Scrolls V, Skyrim",purchase,1.0,0\n'
         '151603712,"The Elder Scrolls V, Skyrim",play,273.0,0\n5250,Dota 2,purchase,1.0,0\n'},
        {"events": ("play",)}, [("151603712", "The Elder Scrolls V, Skyrim", None, 273)],
    ),
    "steam-reviews": (
        "steam-reviews", {"steam_reviews.json.gz": gzip.compress(STEAM.encode())}, {},
        [("Chaos Syren", "725280", 1513468800, 0.1), ("Ariman1", "328100", 1501632000, 13.2)],
    ),
    "steam-australian-reviews": (
        "steam-australian-reviews", {"australian_user_reviews.json.gz": gzip.compress(AUSTRALIAN.encode())}, {},
        [("76561197970982479", "1250", None, None), ("evcentric", "248820", None, None)],
    ),
    "steam-australian-items": (
        "steam-australian-items", {"australian_users_items.json": OWNED}, {},
        [("js41637", "10", None, 6), ("js41637", "20", None, 0)],
    ),
    "retailrocket": (
        "retailrocket",
        {"events.csv": "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n"
         "1433224214164,992329,addtocart,248676,\n1433222276276,599528,transaction,356475,4000\n"},
        {"events": ("addtocart", "transaction")},
        [("992329", "248676", 1433224214.164, None), ("599528", "356475", 1433222276.276, None)],
    ),
    "hm": (
        "hm",
        {"transactions_train.csv": "t_dat,customer_id,article_id,price,sales_channel_id\n"
         "2018-09-20,000058a12d5b43e6,0663713001,0.0508,2\n2018-09-21,00007d2de826758b,663713001,0.0304,2\n"},
        {}, [("000058a12d5b43e6", "0663713001", 1537401600, None), ("00007d2de826758b", "663713001", 1537488000, None)],
    ),
    "rees46": (
        "rees46", {"2019-Nov.csv": REES46, "2019-Dec.csv": REES46.replace("2019-11", "2019-12")}, {},
        [(user, "1003461", time, None) for user, time in (("520088904", 1572566400), ("530496790", 1572566402),
                                                          ("520088904", 1575158400), ("530496790", 1575158402))],
    ),
    "openbandit": (
        "openbandit",
        {"all.csv": ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,user_feature_2,"
         "user_feature_3,user-item_affinity_0,user-item_affinity_1\n" + BANDIT,
         "item_context.csv": ",item_id,item_feature_0\n0,14,0.1\n"},
        {}, [("+".join(FEATURES), "15", 1574553673.442536, None)],
    ),
    "mind": (
        "mind",
        {"behaviors.tsv": "1\tU13740\t11/11/2019 9:05:58 AM\tN55189 N42782\tN55689-1 N35729-0\n"
         "2\tU91836\t11/12/2019 6:11:30 PM\t\tN20678-0 N39317-1\n"},
        {}, [("U13740", "N55689", 1573463158, None), ("U91836", "N39317", 1573582290, None)],
    ),
    "kuairand": (
        "kuairand",
        {f"log_standard_4_{part}_pure.csv": "user_id,video_id,date,hourmin,time_ms,is_click,is_like,long_view,"
         f"play_time_ms,duration_ms,tab\n0,{item},20220421,700,1650502963025,1,0,1,33000,61000,1\n"
         "0,99,20220421,700,1650502963026,0,0,0,3000,61000,1\n"
         for part, item in (("08_to_4_21", 1), ("22_to_5_08", 2))},
        {"events": ("is_click",)}, [("0", "1", 1650502963.025, None), ("0", "2", 1650502963.025, None)],
    ),
    "kuairec": ("kuairec", {"big_matrix.csv": KUAIREC, "small_matrix.csv": KUAIREC[:200]}, {}, KUAIREC_ROWS),
    "kuairec small": (
        "kuairec", {"small_matrix.csv": KUAIREC + "1,9598,1,2,,,,0.5\n"}, {"drop_missing": True}, KUAIREC_ROWS,
    ),
    "amazon2014": (
        "amazon2014", {"reviews_Baby_5.json.gz": gzip.compress(AMAZON_2018.encode()), "meta_Baby.json.gz": b""}, {},
        REVIEWS,
    ),
    "amazon2014 ratings": (
        "amazon2014", {"ratings_Baby.csv": "".join(f"{u},{i},{v}.0,{t}\n" for u, i, t, v in REVIEWS)}, {}, REVIEWS,
    ),
    "amazon2018": (
        "amazon2018", {"All_Beauty_5.json.gz": gzip.compress(AMAZON_2018.encode()), "meta_All_Beauty.json.gz": b""}, {},
        REVIEWS,
    ),
    "amazon2018 ratings": (
        "amazon2018", {"All_Beauty.csv": "".join(f"{i},{u},{v}.0,{t}\n" for u, i, t, v in REVIEWS)}, {}, REVIEWS,
    ),
    "amazon2023": (
        "amazon2023",
        {"All_Beauty.jsonl.gz": gzip.compress(AMAZON_2023.encode()), "meta_All_Beauty.jsonl.gz": b""}, {},
        AMAZON_2023_ROWS,
    ),
    "amazon2023 ratings": ("amazon2023", {"All_Beauty.csv": RATED + "".join(BEST)}, {}, BEST_ROWS),
    "amazon2023 split": (
        "amazon2023",
        {f"All_Beauty.{part}.csv": RATED.rstrip() + ",history\n" + row.rstrip() + ",B0 B1\n"
         for part, row in zip(("train", "valid", "test"), (*BEST, BEST[0]), strict=True)},
        {}, [*BEST_ROWS, BEST_ROWS[0]],
    ),
    "yelp": (
        "yelp",
        {"yelp_academic_dataset_review.json": lines(
            {"review_id": "KU_O5udG6zpxOg-VcAEodg", "user_id": "mh_-eMZ6K5RLWhZyISBhwA",
             "business_id": "XQfwVwDr-v0ZS3", "stars": 3.0, "text": 'a "b"', "date": "2018-07-07 22:09:11"})},
        {}, [("mh_-eMZ6K5RLWhZyISBhwA", "XQfwVwDr-v0ZS3", 1531001351, 3)],
    ),
    "goodbooks": (
        "goodbooks", {"ratings.csv": "user_id,book_id,rating\n1,258,5\n2,4081,4\n"}, {},
        [("1", "258", None, 5), ("2", "4081", None, 4)],
    ),
    "olist": (
        "olist",
        {"olist_order_items_dataset.csv": '"order_id","order_item_id","product_id","price"\n"00010242fe8c5a6d",1,'
         '"4244733e",58.90\n"00018f77f2f0320c",1,"e5f2d52b",239.90\n',
         "olist_orders_dataset.csv": '"order_id","customer_id","order_purchase_timestamp"\n"00010242fe8c5a6d",'
         '"3ce436f1","2017-09-13 08:59:02"\n"00018f77f2f0320c","f6dd3ec0","2017-04-26 10:53:06"\n',
         "olist_customers_dataset.csv": '"customer_id","customer_unique_id"\n"3ce436f1","871766c5"\n'
         '"f6dd3ec0","871766c5"\n',
         "olist_order_reviews_dataset.csv": '"review_id","order_id","review_score","review_comment_message"\n'
         '"97ca439bc427b48b","00010242fe8c5a6d",5,"muito\nbom, ""mesmo"""\n'},
        {}, [("871766c5", "4244733e", 1505293142, 5), ("871766c5", "e5f2d52b", 1493203986, None)],
    ),
    "yambda": (
        "yambda",
        {"multi_event.parquet": {
            **YAMBDA, "played_ratio_pct": pa.array([96, None, None], pa.uint16()), "event_type": EVENTS}},
        {}, ONE_EACH,
    ),
    "yambda listens": (
        "yambda", {"listens.parquet": {**YAMBDA, "played_ratio_pct": pa.array([96, 3, 100], pa.uint16())}}, {},
        [ONE_EACH[0], ("100", "1441281", 39625, 3), (*ONE_EACH[1][:3], 100)],
    ),
    "yambda sequential": (
        "yambda",
        {"multi_event.parquet": {
            "uid": pa.array([100, 200], pa.uint32()),
            "timestamp": pa.array([[39420, 39625], [25999995]], pa.list_(pa.uint32())),
            "item_id": pa.array([[8326270, 1441281], [8326270]], pa.list_(pa.uint32())),
            "played_ratio_pct": pa.array([[96, None], [None]], pa.list_(pa.uint16())),
            "event_type": pa.array([["listen", "dislike"], ["like"]])}},
        {}, ONE_EACH,
    ),
    "recbole": (
        "recbole",
        {"ml-100k.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
         + "".join(f"{u}\t{i}\t{v}\t{t}\n" for u, i, t, v in MOVIES),
         "ml-100k.item": 'item_id:token\tt:token\n1\t"a\n'},
        {}, MOVIES,
    ),
    "recbole split": (
        "recbole",
        {f"ml-100k.{part}.inter": f"user_id:token\titem_id:token\n{k}\t\"{k}\n"
         for k, part in enumerate(("train", "valid", "test"))},
        {}, [(str(k), f'"{k}', None, None) for k in range(3)],
    ),
}  # fmt: skip


def write(folder, files):
    for name, content in files.items():
        if isinstance(content, dict):
            pq.write_table(pa.table(content), folder / name)
        elif isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            (folder / name).write_text(content, newline="")


def rows_of(found):
    time = [None] * len(found) if found.times is None else found.times.seconds.tolist()
    value = [None] * len(found) if found.value is None else found.value.tolist()
    users, items = found.user.names[found.user.code].tolist(), found.item.names[found.item.code].tolist()
    return list(zip(users, items, time, (None if v is None or v != v else v for v in value), strict=True))


def same(found, rows):
    assert sorted(row[:2] for row in found) == sorted(row[:2] for row in rows)
    for mine, wanted in zip(sorted(found, key=str), sorted(rows, key=str), strict=True):
        assert mine[:2] == wanted[:2]
        assert [each is None for each in mine] == [each is None for each in wanted]
        assert [each or 0 for each in mine[2:3]] == [each or 0 for each in wanted[2:3]]
        assert np.float32(mine[3] or 0) == np.float32(wanted[3] or 0)


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_read_as_it_is_published(name, tmp_path):
    layout, files, words, rows = SETS[name]
    write(tmp_path, files)
    found = read_interactions(tmp_path, Reading(layout=layout, **words))
    same(rows_of(found), rows)
    assert found.n_rows == len(found) + sum(found.left_out.values())


@pytest.mark.parametrize("name", [name for name, case in SETS.items() if layout_of(case[0]).known_by])
def test_a_set_that_is_known_by_its_files_needs_no_layout(name, tmp_path):
    layout, files, words, rows = SETS[name]
    write(tmp_path, files)
    known = {"movielens latest", "amazon2014 ratings", "amazon2018 ratings", "amazon2023", "amazon2023 ratings"}
    if name in known - {"movielens latest"}:
        with pytest.raises(RecommenderError, match=f"would be read by layout=.*{layout}"):
            read_interactions(tmp_path, Reading(**words))
        return
    found = read_interactions(tmp_path, Reading(**words))
    same(rows_of(found), rows)
    assert (f"layout={layout}" in found.notes[0]) == (name not in known)


def test_every_layout_that_ships_is_tried_here():
    assert {case[0] for case in SETS.values()} == set(shipped())


def test_no_set_is_known_by_the_files_of_another(tmp_path):
    write(tmp_path, {**SETS["movielens 100k"][1], **SETS["hm"][1]})
    with pytest.raises(RecommenderError, match="would be read by layout=hm or movielens"):
        read_interactions(tmp_path, Reading())
    write(tmp_path, {"interactions.csv": "user,item\n1,2\n"})
    assert rows_of(read_interactions(tmp_path, Reading())) == [("1", "2", None, None)]


def test_what_a_set_has_beside_is_said(tmp_path):
    layout, files, *_ = SETS["kuairec"]
    write(tmp_path, files)
    assert "not read: small_matrix.csv (data=FILE reads one)" in read_interactions(tmp_path, Reading(layout)).notes
    write(tmp_path, {"rees46.csv": REES46})
    found = read_interactions(tmp_path / "rees46.csv", Reading(layout="rees46"))
    assert any("purchase and view" in note or "view and purchase" in note for note in found.notes)
    assert found.label == "view or purchase"


def test_an_old_file_of_ratings_is_not_read_the_wrong_way_round(tmp_path):
    write(tmp_path, {"All_Beauty.csv": RATED + "".join(BEST)})
    same(rows_of(read_interactions(tmp_path, Reading(layout="amazon2018"))), BEST_ROWS)


WORDS = {"at_least": "at_least=1", "drop_missing": "missing=drop"}
SAID = {
    "movielens 100k": "3 of them used",
    "recbole split": "split=given: split=given leaves no user",
    "yambda": "39420 to 2.6e+07 s",
    "hm": "2018-09-20 to 2018-09-21",
}


@pytest.mark.parametrize("name", SETS)
def test_inspect_prints_what_would_be_read(name, tmp_path, capsys):
    layout, files, words, rows = SETS[name]
    write(tmp_path, files)
    said = [WORDS.get(key) or f"events={','.join(each)}" for key, each in words.items()]
    assert main(["inspect", f"data={tmp_path}", f"layout={layout}", *said]) == 0
    out = capsys.readouterr().out
    assert f" {len(rows)} of them used" in out
    assert SAID.get(name, "") in out


def test_the_table_of_sets_is_that_of_the_layouts():
    page = PAGE.read_text()
    table = page[page.index("| set |") :].split("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`([\w-]+)`", row.split("|")[2])]
    assert sorted(named) == shipped()
