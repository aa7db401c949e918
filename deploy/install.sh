#!/bin/sh
# Installs the monitor for systemd, or removes it again: `make install`, `make uninstall`.
#
#   PREFIX           /usr/local   the program: a virtual environment in lib/endpoint-monitor, and bin/monitor
#   SYSCONFDIR       /etc         monitor/checks.toml, written only if there is none
#   UNITDIR          lib/systemd/system below a PREFIX of /usr or /usr/local, else systemd/system below SYSCONFDIR
#   DESTDIR          (empty)      put in front of every path that is written, but of none that is written down
#   PYTHON           the first that is new enough; the program goes on using it, at the same path
#   SYSTEMD_VERSION  of this machine; below 253 the unit gets a drop-in
set -eu
umask 022

PREFIX=${PREFIX:-/usr/local}
SYSCONFDIR=${SYSCONFDIR:-/etc}
DESTDIR=${DESTDIR:-}
case "$PREFIX" in
    /usr | /usr/local) UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system} ;;
    *) UNITDIR=${UNITDIR:-$SYSCONFDIR/systemd/system} ;;
esac

home=$PREFIX/lib/endpoint-monitor
program=$PREFIX/bin/monitor
example=$PREFIX/share/endpoint-monitor/checks.toml
config=$SYSCONFDIR/monitor/checks.toml
unit=$UNITDIR/monitor.service
dropin=$unit.d/before-253.conf
stage=$DESTDIR$home.new
source=$(cd "$(dirname "$0")/.." && pwd)

say() { echo "$*" >&2; }

refuse() {
    say "make $verb: $*"
    exit 2
}

check_paths() {
    for path in "$PREFIX" "$SYSCONFDIR" "$UNITDIR" "${DESTDIR:-/}"; do
        case "$path" in
            *[!A-Za-z0-9_./+-]*) refuse "a path may have letters, digits and _ . / + - only, and this has more: $path" ;;
            /*) ;;
            *) refuse "a path has to start with a slash, and this does not: $path" ;;
        esac
    done
    if [ -e "$DESTDIR$program" ] || [ -L "$DESTDIR$program" ]; then
        [ "$(readlink "$DESTDIR$program")" = ../lib/endpoint-monitor/bin/monitor ] ||
            refuse "$DESTDIR$program is not ours; move it away, or choose another PREFIX"
    fi
}

check_writable() {
    folder=$DESTDIR$PREFIX
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    [ -w "$folder" ] || refuse "$folder cannot be written by $(id -un); run it as root, or with a DESTDIR of your own"
}

# The machine's own Python comes first. One below a home directory would be out of the unit's sight.
find_python() {
    new=
    for python in ${PYTHON:-/usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11}; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        new=$python
        "$python" -c 'import ensurepip, venv' 2>/dev/null || continue
        case "$("$python" -c 'import os, sys; print(os.path.realpath(sys.base_prefix))')" in
            /home/* | /root/*) continue ;;
        esac
        return
    done
    [ -n "$new" ] || refuse 'Python 3.11 or newer is needed; install it, or name it: PYTHON=/path/to/python3.11'
    refuse "$new will not do: it has to be able to make virtual environments (on Debian and Ubuntu: apt install" \
        'python3-venv), and to be outside of /home and /root, which are hidden from the service'
}

has_systemd() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

# The environment is made beside its place and moved there when it is whole: a failure leaves what was there.
make_environment() {
    work=$(mktemp -d)
    trap 'rm -rf "$work" "$stage"' EXIT
    trap 'exit 1' HUP INT TERM
    export PIP_CONSTRAINT="$source/.ci/constraints.txt" PIP_BUILD_CONSTRAINT="$source/.ci/constraints.txt"
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

    mkdir "$work/source"
    cp -R "$source/pyproject.toml" "$source/README.md" "$source/monitor" "$work/source"
    find "$work/source" -name __pycache__ -type d -prune -exec rm -rf {} +
    "$python" -m venv "$work/pip"
    "$work/pip/bin/python" -m pip wheel -q --no-deps -w "$work/wheel" "$work/source"

    mkdir -p "$(dirname "$stage")"
    rm -rf "$stage"
    "$python" -m venv --without-pip "$stage"
    "$work/pip/bin/python" -m pip --python "$stage/bin/python" install -q --no-compile "$work"/wheel/*.whl
    write_final_paths
}

# Nothing in the environment may name the place where it was made.
write_final_paths() {
    rm -f "$stage"/bin/activate* "$stage"/bin/Activate.ps1
    sed -i '/^command = /d' "$stage/pyvenv.cfg"
    for script in "$stage"/bin/*; do
        [ -L "$script" ] || sed -i "s|$stage|$home|g" "$script"
    done
    for record in "$stage"/lib/python*/site-packages/endpoint_health_monitor-*.dist-info/RECORD; do
        rm -f "$(dirname "$record")/direct_url.json"
        sed -i '/direct_url\.json/d' "$record"
    done
    "$stage/bin/python" -m compileall -q -s "$stage" -p "$home" "$stage/lib" >/dev/null || true
}

put() { # MODE FROM TO, with our paths written in
    mkdir -p "$(dirname "$DESTDIR$3")"
    sed -e "s|/usr/local/bin/monitor|$program|" -e "s|/etc/monitor/|$SYSCONFDIR/monitor/|" "$2" >"$DESTDIR$3"
    chmod "$1" "$DESTDIR$3"
}

install_all() {
    find_python
    check_writable
    say "Installing below $DESTDIR$PREFIX with $("$python" --version) ($python) …"
    make_environment
    rm -rf "$DESTDIR$home.old"
    if [ -e "$DESTDIR$home" ]; then mv "$DESTDIR$home" "$DESTDIR$home.old"; fi
    mv "$stage" "$DESTDIR$home"
    rm -rf "$DESTDIR$home.old"
    mkdir -p "$DESTDIR$PREFIX/bin"
    ln -sf ../lib/endpoint-monitor/bin/monitor "$DESTDIR$program"

    put 644 "$source/checks.toml" "$example"
    if [ -e "$DESTDIR$config" ]; then
        say "Kept: $DESTDIR$config"
    else
        put 644 "$source/checks.toml" "$config"
    fi
    put 644 "$source/deploy/systemd/monitor.service" "$unit"
    version=${SYSTEMD_VERSION:-$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')}
    if [ "${version:-253}" -lt 253 ]; then
        put 644 "$source/deploy/systemd/before-253.conf" "$dropin"
    else
        remove_file "$dropin"
    fi
    if has_systemd; then systemctl daemon-reload; fi
    say "Installed. Edit $config, then: systemctl enable --now monitor (after an upgrade: systemctl restart monitor)"
}

remove_file() {
    rm -f "$DESTDIR$1"
    rmdir "$(dirname "$DESTDIR$1")" 2>/dev/null || true # only if nothing else is there
}

# Those that only an installation makes. bin, lib and share below /usr/local were there before.
remove_empty_folders() {
    case "$UNITDIR" in
        "$PREFIX"/lib/systemd/system) set -- "$UNITDIR" "$PREFIX/lib/systemd" ;;
        *) set -- "$PREFIX/bin" "$PREFIX/lib" "$PREFIX/share" "$PREFIX" ;;
    esac
    for folder in "$@"; do rmdir "$DESTDIR$folder" 2>/dev/null || true; done
}

uninstall_all() {
    check_writable
    if has_systemd && [ -e "$unit" ]; then systemctl disable --quiet --now monitor.service; fi
    if [ -e "$DESTDIR$example" ] && cmp -s "$DESTDIR$example" "$DESTDIR$config"; then
        remove_file "$config"
    elif [ -e "$DESTDIR$config" ]; then
        say "Kept, as you changed it: $DESTDIR$config"
    fi
    rm -rf "$DESTDIR$home"
    rm -f "$DESTDIR$program" "$DESTDIR$unit"
    remove_file "$example"
    remove_file "$dropin"
    remove_empty_folders
    if has_systemd; then
        systemctl daemon-reload
        if [ -e /var/lib/private/monitor ]; then say 'Kept: the state in /var/lib/private/monitor'; fi
    fi
    say "Removed from $DESTDIR$PREFIX."
}

verb=${1:-}
case "$verb" in
    install)
        check_paths
        install_all
        ;;
    uninstall)
        check_paths
        uninstall_all
        ;;
    *)
        say 'Usage: make install, make uninstall'
        exit 2
        ;;
esac
