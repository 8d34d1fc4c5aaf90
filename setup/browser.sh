#!/bin/sh
# Sees to a Chromium for the tests in the browser.
#   setup/browser.sh           fetches Playwright's own build where the system has no working one
#   setup/browser.sh --find    prints the path of the system's, or fails
set -eu

# Some systems keep a stand-in that only asks for another package: ask each for its version.
find_chromium() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        if command -v $name >/dev/null && timeout 30 $name --version >/dev/null 2>&1; then
            command -v $name
            return
        fi
    done
    return 1
}

if [ "${1:-}" = --find ]; then
    find_chromium
    exit
fi
find_chromium >/dev/null && exit 0
.venv/bin/python -c 'import sys; from tests.servers import chromium; sys.exit(not chromium())' 2>/dev/null && exit 0
echo "Installing Chromium and the libraries it needs …"
if ! .venv/bin/playwright install --with-deps chromium </dev/null; then
    echo "No Chromium could be installed. Install one so that 'chromium' is on the PATH, or type as root:" >&2
    echo "    $PWD/.venv/bin/playwright install --with-deps chromium" >&2
    exit 1
fi
