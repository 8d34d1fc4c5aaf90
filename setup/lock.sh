#!/bin/sh
# Writes the locked requirements: each version with its hashes, for every platform, without any index's address.
set -eu
export UV_CUSTOM_COMPILE_COMMAND="make lock"
lock() {
    .venv/bin/uv pip compile --quiet --refresh --generate-hashes --universal --python-version 3.11 "$@"
}
lock setup/uv.in -o setup/uv.txt "$@"
lock requirements.in -o requirements.txt "$@"
# The tests run on the very versions that the registry runs on.
lock requirements-dev.in -c requirements.txt -o requirements-dev.txt "$@"
