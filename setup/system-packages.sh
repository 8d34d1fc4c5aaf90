#!/bin/sh
# Installs the system packages that are missing, or says what to type where it may not.
#   setup/system-packages.sh run     what the registry needs
#   setup/system-packages.sh test    and what its tests need besides
# Looks for the things themselves, not for packages: whoever has them from elsewhere is left in peace.
set -eu
purpose=$1
missing=""

need() { # need PACKAGE COMMAND…: PACKAGE is missing if COMMAND fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has_library() { { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q "$1"; }
has_command() { command -v "$1"; }
has_postgresql_server() { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; }
has_certificates() { [ -n "${SSL_CERT_FILE:-}" ] || [ -e /etc/ssl/certs/ca-certificates.crt ] || [ ! -d /etc/apt ]; }

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed, and '$PYTHON' is not. Name another one: make PYTHON=python3.12 …" >&2
    exit 1
fi

[ -x .venv/bin/python ] || need python3-venv "$PYTHON" -c 'import ensurepip, venv'
need ca-certificates has_certificates
# What draws the certificates: text layout, font subsets, font look-up.
need libpango-1.0-0 has_library libpango-1.0.so.0
need libpangoft2-1.0-0 has_library libpangoft2-1.0.so.0
need libharfbuzz-subset0 has_library libharfbuzz-subset.so.0
need fontconfig has_command fc-match
need poppler-utils has_command pdftoppm # draws the pages of papers that are PDFs
if [ "$purpose" = test ]; then
    need postgresql has_postgresql_server
    need qpdf has_command qpdf
    need zbar-tools has_command zbarimg
    # Other people's software checks the log.
    need golang-go has_command go
    need golang-golang-x-mod-dev test -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog
    need libatomic1 has_library libatomic.so.1 # for what drives the browser
    # Ubuntu has no Chromium package of its own: setup/browser.sh sees to it there.
    if ! grep -qi '^ID=ubuntu' /etc/os-release; then need chromium setup/browser.sh --find; fi
fi
[ -n "$missing" ] || exit 0

by_hand() {
    echo "These system packages are missing, and this user may not install them:$missing" >&2
    echo "Type this as root, then the same make command again:" >&2
    echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
    exit 1
}
command -v apt-get >/dev/null || by_hand
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root="sudo"
    # Without a person at a terminal nobody can type a password.
    [ -t 0 ] || sudo -n true 2>/dev/null || by_hand
else
    by_hand
fi

echo "Installing system packages:$missing"
as_root() { $as_root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null; }
install() {
    # shellcheck disable=SC2086  # a list of packages
    as_root apt-get install --yes --quiet=2 --no-install-recommends $missing >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
case "$missing" in *postgresql*)
    # The tests start a server of their own: the package must not leave one running on this machine.
    no_cluster=/etc/postgresql-common/createcluster.d/registry-tests.conf
    as_root mkdir -p "${no_cluster%/*}"
    echo "create_main_cluster = false" | $as_root tee "$no_cluster" >/dev/null ;;
esac
# A fresh machine has no package lists, an old one has stale ones.
installed=yes
install || {
    echo "Fetching the lists of packages …"
    as_root apt-get update --quiet=2 && install
} || installed=no
[ -z "${no_cluster:-}" ] || as_root rm -f "$no_cluster"
if [ $installed = no ]; then
    cat "$log" >&2
    echo "The packages could not be installed. Type this as root and read what it says:" >&2
    echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
