"""Gymnasium environments: the same platform, with an agent in the place of the recommender.

Importing this package registers the ids. Gymnasium 1.x reads no entry points, so it has to be told:
`import simulator.env`, or the module in the id, `gymnasium.make("simulator.env:beholder/News-v1")`.
"""

from simulator.env.registration import register

__all__ = ["register"]

register()
