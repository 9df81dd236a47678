"""``check_recommender``: does a recommender keep the contract? For authors of plug-ins, and for our own tests.

    from recommenders.check import check_recommender
    check_recommender(lambda: MyRecommender(seed=1, label=Label("like", ("like",))))

or, as tests that pytest finds, one per rule::

    from recommenders.check import RecommenderConformance
    class TestMyRecommender(RecommenderConformance):
        recommender = MyRecommender

Each rule is tried on small synthetic platforms: an ordinary one; one without any record; one user; one item; a user
whom the log has never met; fewer candidates than places. All breaches are named at once; silence means that it passed.
"""

from recommenders.check.conformance import RecommenderConformance, check_recommender
from recommenders.check.worlds import MODALITIES, World, synthetic_world

__all__ = ["MODALITIES", "RecommenderConformance", "World", "check_recommender", "synthetic_world"]
