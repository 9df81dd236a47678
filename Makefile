# What is done often, by name, in the active environment. The checks themselves stand in .ci/run.
.PHONY: help check format test long api

help:  ## print these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

check:  ## lint, format, types and tests: what has to hold before a change lands
	bash .ci/run --here

format:  ## put imports and lines in order
	python -m ruff check --fix .
	python -m ruff format .

test:  ## the tests, without the long ones
	python -m pytest -n 2 --dist loadfile

long:  ## the long tests
	python -m pytest -m long

api:  ## write docs/api.md from the docstrings
	python docs/write_api.py
