#!/bin/sh
# Makes .venv and fills it with exactly the locked requirements.
#   setup/environment.sh run     what the registry needs
#   setup/environment.sh test    and what its tests need besides
# Costs nothing when the environment is as the lock says.
set -eu
purpose=$1
PYTHON=${PYTHON:-python3}
stamp=.venv/locked

# Once made for tests it stays so: the tools do not come and go with each command.
if [ "$(cut -d' ' -f1 $stamp 2>/dev/null)" = test ]; then purpose=test; fi
case $purpose in run) requirements=requirements.txt ;; test) requirements=requirements-dev.txt ;; esac

wanted="$purpose $(cat $requirements setup/uv.txt | sha256sum | cut -d' ' -f1)"
if [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Making the Python environment in .venv …"
    "$PYTHON" -m venv --clear .venv
fi
echo "Installing the locked requirements …"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r setup/uv.txt
# What this machine trusts and where it gets its packages: the same for uv as for pip.
export UV_SYSTEM_CERTS=1
index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
index=${PIP_INDEX_URL:-$index}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"; fi
.venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python .venv/bin/python $requirements
echo "$wanted" >$stamp
