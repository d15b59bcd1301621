#!/bin/sh
# Finds (as root: installs) a Python that can run the set-up, then hands over to it: bootstrap.sh COMMAND [OPTION...]
# Nothing but a POSIX shell may be taken for granted here; everything else is in skerry_setup/, which needs only Python's own library.
set -eu
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

fail() {
    printf 'skerry: %s\n' "$1" >&2
    exit 1
}

# Prints the first Python that is new enough, can make virtual environments, and (for root) can be run by other users.
# Root asks the system's own first: one in root's home is of no use to the service users.
find_python() {
    if [ "$(id -u)" -eq 0 ]; then first=/usr/bin/python3; else first=python3; fi
    for candidate in "$first" python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3 /usr/local/bin/python3; do
        found=$(command -v "$candidate" 2>/dev/null) || continue
        if "$found" -I "$here/check_python.py" >/dev/null 2>&1; then
            printf '%s\n' "$found"
            return 0
        fi
    done
    return 1
}

# Prints the packages of the groups base and extra whose probes all fail, separated by spaces.
missing_packages() {
    named=''
    while read -r group probes packages; do
        case $group in base | extra) met=no ;; *) continue ;; esac
        old_ifs=$IFS
        IFS=,
        for probe in $probes; do
            PATH="$PATH:/usr/sbin:/sbin" command -v "$probe" >/dev/null 2>&1 && met=yes
            case $probe in /*) [ -e "$probe" ] && met=yes ;; esac
        done
        IFS=$old_ifs
        case " $named " in *" ${packages%%,*} "*) met=yes ;; esac
        [ "$met" = yes ] || named="$named${named:+ }${packages%%,*}"
    done <"$here/packages.txt"
    printf '%s\n' "$named"
}

install_python() {
    command -v apt-get >/dev/null 2>&1 || fail "Python 3.11 or newer with its venv module is needed: install it with this system's package manager."
    printf '==> Installing Python\n'
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -y -q --no-install-recommends python3 python3-venv; } </dev/null >"$log" 2>&1 ||
        fail "apt-get could not install python3 and python3-venv: $(tail -n 1 "$log")"
    find_python >/dev/null && return 0
    # The release's python3 is too old: some also carry a newer one beside it.
    for version in 3.14 3.13 3.12 3.11; do
        apt-get install -y -q --no-install-recommends "python$version" "python$version-venv" </dev/null >"$log" 2>&1 && return 0
    done
    fail "this release has no Python 3.11 or newer: use Debian 12, Ubuntu 24.04 or later, or install a newer Python."
}

if ! python=$(find_python); then
    if [ "$(id -u)" -ne 0 ]; then
        fail "packages are missing. Install them: sudo apt-get install -y python3 python3-venv $(missing_packages) (Python must be 3.11 or newer), then run this again."
    fi
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    install_python
    python=$(find_python) || fail "Python was installed but cannot be used: 'python3 -m venv' must work for every user."
    rm -f "$log"
    trap - EXIT
fi

exec "$python" -I "$here/main.py" "$@" </dev/null
