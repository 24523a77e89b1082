#!/usr/bin/env bash
# Installs what is missing, says what it installs, and does nothing when all is there.
#   scripts/setup.sh        what running needs
#   scripts/setup.sh dev    also what tests and checks need
# Works as root or with sudo. PYTHON names another interpreter; CALLWEAVE_NO_APT=1 leaves system packages alone.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-run}
packages=(espeak-ng libespeak-ng1)
lock=requirements.lock
if [ "$mode" = dev ]; then
  packages+=(sip-tester postgresql chromium fonts-noto-cjk)
  lock=requirements-dev.lock
fi

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

python=${PYTHON:-}
for candidate in python3 python3.13 python3.12 python3.11; do
  [ -n "$python" ] && break
  if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    python=$candidate
  fi
done
# The system's own Python needs its venv module as a package of its own.
if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  packages+=(python3 python3-venv)
fi

missing=()
if command -v dpkg-query >/dev/null; then
  for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
  done
else
  cat >&2 <<TEXT
setup: this is not a Debian system, so nothing is installed for you. Install these by hand:
  - Python 3.11 or newer with its venv module
  - Node.js 20.19 or newer with npm (to build the web app)
  - espeak-ng with its shared library (libespeak-ng.so.1)
  - Asterisk 22.10 or newer with chan_websocket, on the PATH (or set CALLWEAVE_ARI_URL to one that runs)
$([ "$mode" = dev ] && printf '  - SIPp, the PostgreSQL server, Chromium and a Chinese font (for the tests)')
then run with CALLWEAVE_NO_APT=1.
TEXT
  [ "${CALLWEAVE_NO_APT:-}" = 1 ] || exit 1
fi

[ "${CALLWEAVE_NO_APT:-}" != 1 ] || missing=()
install_system() {
  say "installing system packages: ${missing[*]}"
  root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing: ${missing[*]}; run this as root, or install sudo"
    root=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  if [[ " ${missing[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
    # The tests start servers of their own; one that Debian makes and starts would only be in the way.
    "${root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  "${root[@]}" apt-get update -qq || die "apt-get update failed; check the machine's package sources"
  "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

# What waits for packages runs side by side: the system's, Python's and the web app's.
waiting=()
trap wait EXIT
if [ ${#missing[@]} -gt 0 ]; then
  if [[ " ${missing[*]} " == *" python3-venv "* ]]; then
    install_system
  else
    install_system &
    waiting+=($!)
  fi
fi

python=${python:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  die "Python 3.11 or newer is needed; set PYTHON to one"

install_python() {
  stamp=.venv/.installed-$mode-$(cat "$lock" pyproject.toml | sha256sum | cut -c1-16)
  [ ! -e "$stamp" ] || return 0
  if [ ! -x .venv/bin/python ]; then
    say "making a virtual environment with $("$python" --version)"
    "$python" -m venv .venv
  fi
  say "installing $(grep -cE '^[a-zA-Z0-9]' "$lock") pinned Python packages ($lock)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r "$lock"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
  rm -f .venv/.installed-"$mode"-*
  touch "$stamp"
  # What tests need includes what running needs.
  [ "$mode" != dev ] || touch ".venv/.installed-run-$(cat requirements.lock pyproject.toml | sha256sum | cut -c1-16)"
}

# The web app needs Node.js to be built, not to run. A Node.js that is too old is left alone: one from PyPI serves.
recent_node() { command -v node >/dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number);
  process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' && command -v npm >/dev/null; }
built=$({ cat requirements-node.lock backend/schema.graphql
  find designer -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/src/gql/*' -print0 |
    LC_ALL=C sort -z | xargs -0 cat; } | sha256sum | cut -c1-16)
build_web_app() {
  say "building the web app with Node.js $(node --version)"
  (
    cd designer
    if [ ! -e "node_modules/.installed-$(sha256sum <package-lock.json | cut -c1-16)" ]; then
      npm ci --silent --no-audit --no-fund
      touch "node_modules/.installed-$(sha256sum <package-lock.json | cut -c1-16)"
    fi
    npm run --silent build >dist.log 2>&1 || { cat dist.log >&2; exit 1; }
    rm -f dist.log
    touch "dist/.built-$built"
  )
}

if [ -e "designer/dist/.built-$built" ]; then
  install_python
elif recent_node; then
  build_web_app &
  waiting+=($!)
  install_python
else
  install_python
  say "installing Node.js from requirements-node.lock (this machine has none that is recent enough)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock
  PATH=$PWD/.venv/bin:$PATH
  build_web_app
fi
for job in ${waiting[@]+"${waiting[@]}"}; do
  wait "$job" || die "not everything could be installed: see above"
done
waiting=()

.venv/bin/python -m telephony.asterisk.install
