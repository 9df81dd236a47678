#!/usr/bin/env bash
# gymnasium.make builds a TypeError of an environment anew, and loses what it said.
#
# Seen with Gymnasium 1.4.0: where the class of an environment raises a TypeError, make() raises `type(error)(text)` in its
# place, to add the keywords to the message. A subclass of TypeError whose constructor takes more than one argument then
# becomes another TypeError, of that constructor ("missing 1 required positional argument"), and the text is gone.
# A ValueError of the same form comes through untouched.
#
# Why it matters here: tools such as TorchRL try keywords and take a TypeError as "I do not know this keyword". Errors of
# environments that say where, what and what would be right take several arguments, so ours have to be built of one text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet gymnasium==1.4.0
"$dir/venv/bin/python" - <<'P'
import gymnasium


def environment(kind):
    class Wrong(kind):
        def __init__(self, where, wrong):
            super().__init__(f"{where}: {wrong}")

    class Environment(gymnasium.Env):
        def __init__(self, **keywords):
            raise Wrong("environment", f"does not know {', '.join(keywords)}")

    return Environment


said = {}
for kind in (TypeError, ValueError):
    gymnasium.register(f"{kind.__name__}-v0", environment(kind))
    try:
        gymnasium.make(f"{kind.__name__}-v0", speed=2)
    except (TypeError, ValueError) as error:
        said[kind.__name__] = str(error)
print("gymnasium", gymnasium.__version__, said)
assert "missing 1 required positional argument" in said["TypeError"], "the error comes through: out of date"
assert said["ValueError"] == "environment: does not know speed"
P
