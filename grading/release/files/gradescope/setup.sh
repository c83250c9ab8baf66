#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image: a Python, a virtual environment, and the kit in it.
# PIP_OPTIONS reaches pip: a mirror, or --extra-index-url with an index of CPU-only builds, which saves two gigabytes.
set -euo pipefail

AUTOGRADER=${AUTOGRADER:-/autograder}
PIP_OPTIONS=${PIP_OPTIONS-}
kit=$AUTOGRADER/source/kit
venv=$AUTOGRADER/venv

is_recent() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && is_recent "$name"; then
            echo "$name"
            return
        fi
    done
}

python=$(find_python)
if [ -z "$python" ]; then
    apt-get update
    # The first that the image's Ubuntu has; libseccomp is one of the layers around a student's code.
    for version in 3.13 3.12 3.11; do
        if apt-get install -y "python$version" "python$version-venv" libseccomp2; then
            break
        fi
    done
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo "setup.sh: found no Python 3.11 or later, and could not install one: choose a newer base image" >&2
    exit 1
fi

# An environment that is there already is used: whoever builds an image of their own may have made it.
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
# shellcheck disable=SC2086
"$venv/bin/python" -m pip install --quiet --constraint "$kit/constraints.txt" $PIP_OPTIONS --editable "$kit"

# Where nothing else keeps a student's code from reading, these are for the owner alone.
chmod -R go-rwx "$kit/solutions" "$kit/grading/bank" "$kit/grading/rubric.toml"
"$venv/bin/elbo" doctor
