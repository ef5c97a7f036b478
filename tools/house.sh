# What ./run, ./test and ./bench share: sentences, prerequisites, building with a clock. Sourced, in the repository's root.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }

need_dotnet() {
    if command -v dotnet >/dev/null && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
        return
    fi
    say "The .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0 and start again." >&2
    exit 1
}

# need_packages WHY PACKAGE:FILE... installs the packages whose file is missing, after asking. 1: something is still missing.
need_packages() {
    local why=$1 missing=() wanted sudo=
    shift
    for wanted in "$@"; do
        [ -e "${wanted#*:}" ] || missing+=("${wanted%%:*}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if ! command -v apt-get >/dev/null; then
        say "Missing for $why: ${missing[*]}. This is not Debian, so please install them yourself."
        return 1
    fi
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    say "Missing for $why, to be installed with apt-get: ${missing[*]}"
    if [ -z "${yes:-}" ]; then
        [ -t 0 ] || { say "Not installed: nobody to ask. --yes installs them."; return 1; }
        read -r -p "Run '${sudo:+sudo }apt-get install ${missing[*]}'? [y/N] " answer
        case $answer in [yYjJ]*) ;; *) return 1 ;; esac
    fi
    # A machine that has never updated its lists does not know the packages.
    $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { $sudo apt-get update -q >/dev/null && $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null; } ||
        { say "apt-get could not install ${missing[*]}."; return 1; }
}

# Where sshd and bwrap are unpacked. Run as root the sandbox drops to another user, who cannot enter a private data folder.
tools_folder() {
    if [ "$(id -u)" -ne 0 ]; then
        say "$PWD/data/tools"
        return
    fi
    local shared=/var/tmp/dashboard-tools
    mkdir -p -m 755 "$shared"
    # Anybody may make a folder there first: what root runs from it has to be root's.
    [ -O "$shared" ] && [ ! -L "$shared" ] || shared=$(mktemp -d /var/tmp/dashboard-tools.XXXXXX)
    chmod 755 "$shared"
    say "$shared"
}

# unpack_tools DIR: sshd and bwrap for the sandbox, installed nowhere. Prints what is missing and returns 1 when it cannot be had.
unpack_tools() {
    local said
    mkdir -p "$1"
    if said=$(src/Sandbox/fetch-tools "$1" 2>&1); then
        return 0
    fi
    printf '%s' "${said##*$'\n'}"
    return 1
}

# A name for the present state of all that is built; a change of any source changes it.
sources_stamp() {
    find src global.json appsettings.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig \
        \( -name bin -o -name obj -o -name node_modules -o -name __pycache__ \) -prune -o -type f -printf '%p %T@ %s\n' | LC_ALL=C sort | sha256sum
}

# build_when_changed CONFIGURATION PROJECT... restores and builds unless nothing changed since it last did.
build_when_changed() {
    local configuration=$1 stamp=artifacts/built-$1 now
    shift
    now=$(sources_stamp)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ]; then
        return
    fi
    say "Building (restores packages the first time, nothing is installed)."
    mkdir -p artifacts
    local project
    for project in "$@"; do
        with_clock "$project" dotnet build "$project" -c "$configuration" --nologo -v minimal -nodeReuse:false -p:RestoreLockedMode=true
    done
    sources_stamp >"$stamp"
}

# with_clock NAME COMMAND...: one line with a running clock and what it last finished; the whole output only when it fails.
with_clock() {
    local name=$1 output start=$SECONDS job last
    shift
    output=$(mktemp)
    "$@" >"$output" 2>&1 &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        last=$(grep -oE '[A-Za-z.]+ -> |Restored [^ ]+' "$output" 2>/dev/null | tail -n 1 | sed 's| -> ||; s|.*/||' || true)
        if [ -t 1 ]; then
            printf '\r  %s  %3d s  %-40s' "$name" $((SECONDS - start)) "$last"
        elif [ $(((SECONDS - start) % 10)) -eq 9 ]; then
            say "  $name  $((SECONDS - start)) s  $last"
            sleep 1
        fi
        sleep 0.2
    done
    if ! wait "$job"; then
        [ ! -t 1 ] || echo
        grep -E ': (error|warning) |error :|Error' "$output" | sort -u | head -n 20 || true
        tail -n 15 "$output"
        rm -f "$output"
        say "$name failed."
        exit 1
    fi
    rm -f "$output"
    if [ -t 1 ]; then printf '\r'; fi
    printf '  %s  %3d s  %-40s\n' "$name" $((SECONDS - start)) "done"
}

# processes_of NAME FOLDER: ids of the processes of that program on exactly that data folder.
processes_of() {
    local process words
    for process in /proc/[0-9]*; do
        mapfile -d '' -t words <"$process/cmdline" || continue
        [[ " ${words[*]} " != *"$1"* ]] || [[ " ${words[*]} " != *" --data $2 "* ]] || say "${process#/proc/}"
    done 2>/dev/null
}

# end_process PID NAME SECONDS: asks the process to end, waits, kills. Only if it really is NAME: ids are reused.
end_process() {
    local i
    tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q "$2" || return 0
    kill -TERM "$1" 2>/dev/null || return 0
    for ((i = 0; i < $3 * 10; i++)); do
        kill -0 "$1" 2>/dev/null && [ "$(awk '{print $3}' "/proc/$1/stat" 2>/dev/null)" != Z ] || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
}
