#!/bin/sh
# Makes the virtual environment of the evaluation scripts in target/venv, and
# leaves it alone when it already holds what requirements.txt asks for.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
venv="$root/target/venv"
stamp="$venv/requirements.sha256"
wanted=$(sha256sum <"$here/requirements.txt")

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    echo "venv: up to date"
    exit 0
fi

# The oldest Python that the pinned numpy supports is 3.11.
python=${PYTHON:-}
for candidate in python3.11 python3 python3.12 python3.13; do
    [ -z "$python" ] || break
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        python=$candidate
    fi
done
if [ -z "$python" ]; then
    echo "venv: no Python 3.11 or later found; install one, or set PYTHON" >&2
    exit 1
fi

echo "venv: installing into target/venv with $python"
rm -rf "$venv"
if ! "$python" -m venv "$venv"; then
    echo "venv: $python cannot make one; on Debian: apt-get install python3-venv" >&2
    exit 1
fi
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary=:all: -r "$here/requirements.txt"; then
    echo "venv: pip failed; is a package index reachable?" >&2
    exit 1
fi
echo "$wanted" >"$stamp"
