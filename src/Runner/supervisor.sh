#!/bin/sh
# Watches one attempt on a rented machine: starts its trainer once, beats, obeys lease and stop file, writes `exit`.
# README.md beside this file has the contract. Needs sh, coreutils, util-linux; python3 where the trainer needs it anyway.
set -u
umask 022
self=$(cd "$(dirname "$0")" && pwd)/${0##*/} || exit 70
B=${self%/*}
R=${B%/bundle}
cd "$R" || exit 70

TICK=${GD_TICK_S:-1} # a beat every five ticks
GPU_EVERY=${GD_GPU_S:-10}
DESTROY_EVERY=${GD_DESTROY_S:-60}
CGROUP=${GD_CGROUP:-/sys/fs/cgroup}
PRUNE_KB=2097152 # under 2 GiB free only the newest complete checkpoint stays
FULL_KB=512000   # under 500 MiB logins and renames begin to fail on some hosts: stop while we still can

say() { echo "$(date -u +%FT%TZ) $*"; }

# Seconds of a clock that nobody sets: the host's wall clock may be wrong or jump.
uptime() { read -r up _ <"${GD_UPTIME:-/proc/uptime}"; echo "${up%%.*}"; }

# A number of spec.json. A quote inside a JSON string is escaped, so {," before the name means a key.
number() {
    found=$(tr -d ' \n\r\t' <"$B/spec.json" | grep -oE "[{,]\"$1\":[0-9]{1,9}" | head -n 1)
    echo "${found##*:}" | grep . || echo "$2"
}

# destroy: the same text in bootstrap.sh and supervisor.sh. The key goes through stdin or the environment, never argv or disk.
destroy() (
    for v in CONTAINER_ID CONTAINER_API_KEY GD_API_BASE; do
        eval "[ -n \"\${$v:-}\" ]" || eval "$v=\$(cat /proc/1/environ 2>/dev/null | tr '\\000' '\\n' | sed -n 's/^$v=//p')"
    done
    [ -n "$CONTAINER_ID" ] && [ -n "$CONTAINER_API_KEY" ] || exit 1
    export CONTAINER_API_KEY
    u=${GD_API_BASE:-https://console.vast.ai}/api/v0/instances/$CONTAINER_ID/
    printf 'Authorization: Bearer %s\n' "$CONTAINER_API_KEY" |
        curl -fsS -m 20 -X DELETE -H @- -H 'Content-Type: application/json' -d '{}' "$u" 2>/dev/null ||
        python3 -c 'import os, sys, urllib.request as q
h = {"Authorization": "Bearer " + os.environ["CONTAINER_API_KEY"], "Content-Type": "application/json"}
q.urlopen(q.Request(sys.argv[1], b"{}", h, method="DELETE"), timeout=20)' "$u"
)

# Whether this machine could destroy itself: the server shows it when the second line of defence is missing.
dead_man_means() (
    for v in CONTAINER_ID CONTAINER_API_KEY GD_API_BASE; do
        eval "[ -n \"\${$v:-}\" ]" || eval "$v=\$(cat /proc/1/environ 2>/dev/null | tr '\\000' '\\n' | sed -n 's/^$v=//p')"
    done
    [ -n "$CONTAINER_ID" ] && [ -n "$CONTAINER_API_KEY" ] || { echo no-key && exit; }
    command -v curl >/dev/null || command -v python3 >/dev/null || { echo no-tool && exit; }
    case ${GD_API_BASE:-https:} in http:*) echo ok && exit ;; esac
    for ca in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem /etc/ssl/ca-bundle.pem; do
        [ -s "$ca" ] && echo ok && exit
    done
    echo no-ca
)

# Start time (field 22 of stat) of a living process; nothing for one that is gone or a zombie.
started() {
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086 # fields are meant to be split; the name, which may hold spaces, is cut off before
    set -- ${stat##*) }
    [ "$1" != Z ] && echo "${20}"
}

# The recorded trainer lives: same pid and same start time, so a reused pid is never signalled.
alive() {
    read -r pid since 2>/dev/null <pid || return 1
    [ -n "${since:-}" ] && [ "$(started "$pid")" = "$since" ]
}

oom_kills() {
    cat "$CGROUP/memory.events" "$CGROUP/memory/memory.oom_control" 2>/dev/null | sed -n 's/^oom_kill \([0-9]*\)$/\1/p' | head -n 1
}

# ---- the other entries of this file: processes of their own, so that no child holds the supervisor's lock ----

# Nothing of the trainer outlives it: a forgotten child would hold the GPU and the log's pipe. The leader ($$) lives, so the group is ours.
end_group() {
    read -r me _ </proc/self/stat
    for stat in /proc/[0-9]*/stat; do
        read -r line 2>/dev/null <"$stat" || continue
        member=${line%% *}
        # shellcheck disable=SC2086
        set -- ${line##*) }
        [ "$3" != $$ ] || [ "$member" = $$ ] || [ "$member" = "$me" ] || kill -KILL "$member" 2>/dev/null
    done
}

# A trainer may fail before logcap has left the group, and what it said would be lost with logcap.
await_logcap() {
    tries=100
    while [ -e logcap.starting ] && [ $tries -gt 0 ]; do
        sleep 0.05
        tries=$((tries - 1))
    done
}

# `run`: leader of the trainer's session and process group; outlives TERM to write the code, which a pipeline would lose.
run() {
    trap : TERM
    exec 8>run.lock
    flock -n 8 || exit 75
    echo "$$ $(started $$)" >pid.new && mv pid.new pid
    : >logcap.starting
    {
        trap : TERM
        python3 -B -u "$B/trainer.py" --spec "$B/spec.json"
        echo $? >code.new
        mv code.new code
        await_logcap
        end_group
    } </dev/null 2>&1 | (
        trap '' TERM
        exec python3 -B "$B/logcap.py" log "$(number log_mb 256)" logcap.starting 8>&-
    )
}

# `gpu`: one sample. A card that fell off the bus can hang the tool.
gpu() {
    fields=index,uuid,name,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,power.limit,clocks.sm,compute_cap
    if timeout 10 nvidia-smi --query-gpu=$fields --format=csv,noheader,nounits >gpu.new 2>/dev/null; then
        cat gpu.new >>gpu.csv
        echo '"ok"' >gpu.state
        if [ "$(wc -c <gpu.csv)" -gt 20971520 ]; then
            tail -c 1048576 gpu.csv | sed 1d >gpu.cut && mv gpu.cut gpu.csv
        fi
    else
        echo null >gpu.state
    fi
    rm -f gpu.new
}

case ${1:-} in
run) run && exit ;;
gpu) gpu && exit ;;
destroy) destroy && exit ;;
esac
[ -z "${1:-}" ] || exit 1

# ---- the supervisor ----

[ -e exit ] && exit 0
exec 9>lock
flock -w 2 9 || exit 75 # the last child of one that was killed may hold it a moment longer
[ -e exit ] && exit 0

# Highest step the trainer told of; the file is its own, so take nothing but digits from its end.
last_step() {
    found=$(tail -c 16384 metrics.jsonl 2>/dev/null | grep -oE '"step": ?[0-9]{1,12}' | grep -oE '[0-9]+' | sort -n | tail -n 1)
    echo "${found:-0}"
}

# write_exit code reason: once, whole or not at all. The only proof of an end.
write_exit() {
    signal=null
    [ "$1" -gt 128 ] && [ "$1" -lt 193 ] && [ "$1" -ne 143 ] && signal=$(($1 - 128))
    printf '{"code":%d,"signal":%s,"reason":"%s","step":%d,"attempt":%s,"t":%d}\n' \
        "$1" "$signal" "$2" "$(last_step)" "$attempt" "$(date +%s)" >exit.new || return 1
    sync exit.new 2>/dev/null || sync
    mv exit.new exit || return 1
    say "ended: $2, code $1"
    phase=ended
    state=ended
}

# The trainer has ended with that code: why?
reason_of() {
    case $1 in
    0) echo done && return ;;
    143) echo "${stopping:-preempted}" && return ;; # not asked by us: the host is going down
    65) echo bad-bundle && return ;;
    69) tail -c 65536 log | grep -q '^no-gpu:' && echo no-gpu || echo missing-package; return ;;
    73) echo disk && return ;;
    esac
    if [ -n "$stopping" ]; then
        echo "$stopping" # killed after the grace time
    elif tail -c 65536 log 2>/dev/null | grep -q 'OutOfMemoryError\|CUDA out of memory'; then
        echo gpu-oom
    elif [ "$1" -eq 137 ] && [ "$(oom_kills | grep . || echo 0)" -gt "$(cat oom 2>/dev/null || echo 0)" ]; then
        echo host-oom
    else
        echo failed
    fi
}

start_trainer() {
    rm -f code code.new pid out/STOP out/CHECKPOINT
    oom_kills | grep . >oom || echo 0 >oom
    setsid sh "$self" run </dev/null &
    tries=0
    until alive || [ -e code ] || [ $tries -ge 100 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
}

# Survivors of a trainer whose leader is dead still hold run.lock. A lock does not survive a reboot, so the group is ours.
clear_survivors() {
    flock -n run.lock true && return
    read -r pid _ 2>/dev/null <pid && kill -KILL "-$pid" 2>/dev/null
    flock -w 10 run.lock true
}

# Sets restarts (starts after the first) and stuck (starts in a row that brought no step). 1: three were enough.
count_start() {
    step=$(last_step)
    if read -r restarts stuck reached 2>/dev/null <restarts; then
        restarts=$((restarts + 1))
        if [ "$step" -gt "$reached" ]; then stuck=1; else stuck=$((stuck + 1)); fi
    else
        restarts=0 stuck=1
    fi
    [ "$stuck" -le 3 ] || return 1
    echo "$restarts $stuck $step" >restarts.new && mv restarts.new restarts
}

# Groups are signalled as `kill -TERM -123`: dash takes no `--` after `-TERM`, busybox none after `-s TERM`.
# ask_stop reason: the trainer polls out/STOP, because a launcher may keep TERM from its workers.
ask_stop() {
    [ -z "$stopping" ] || return 0
    stopping=$1
    say "stopping: $1"
    mkdir -p out
    echo "$1" >out/STOP
    alive && kill -TERM "-$pid"
    kill_at=$(($(uptime) + grace))
    phase=stopping
}

stop_reason() { grep -qs preempted stop && echo preempted || echo stopped; }

# A lease counts from the moment this process first saw its number, for the seconds it grants.
look_at_lease() {
    text=$(head -c 512 lease 2>/dev/null) || return 0
    seq=$(echo "$text" | sed -n 's/.*"seq": *\([0-9]\{1,15\}\).*/\1/p')
    [ -n "$seq" ] && [ "$seq" != "$lease_seq" ] || return 0
    for=$(echo "$text" | sed -n 's/.*"for": *\([0-9]\{1,6\}\).*/\1/p')
    lease_seq=$seq
    lease_end=$((now + ${for:-$lease_s}))
}

# Leaves only the newest complete checkpoint.
prune() {
    newest=
    for n in $(ls out 2>/dev/null | sed -n 's/^checkpoint-\([0-9]*\)$/\1/p' | sort -rn); do
        [ -e "out/checkpoint-$n/COMPLETE" ] || continue
        if [ -z "$newest" ]; then newest=$n; else rm -rf "out/checkpoint-$n"; fi
    done
}

look_at_disk() {
    free=$(timeout 10 df -Pk "$R" | { read -r _; read -r _ _ _ kb _; echo "$kb"; })
    case $free in '' | *[!0-9]*) free=; return ;; esac
    disk_free_mb=$((free / 1024))
    [ "$free" -ge $PRUNE_KB ] || prune
    [ "$free" -ge $FULL_KB ] || [ $state != running ] || ask_stop disk
}

look_at_trainer() {
    if [ -e code ]; then
        # The log's end decides about gpu-oom, so logcap may finish; a child in a session of its own may not keep us by holding the pipe.
        if alive && [ $((now - ${code_seen:=$now})) -lt 10 ]; then return; fi
        alive && kill -KILL "-$pid"
        read -r code <code || code=1
        write_exit "$code" "$(reason_of "$code")"
    elif ! alive && [ ! -e code ]; then
        write_exit 137 "$(reason_of 137)" # only KILL keeps the shell around the trainer from writing a code
    elif [ -n "$stopping" ] && [ "$now" -ge "$kill_at" ]; then
        kill -KILL "-$pid"
    fi
}

look_at_requests() {
    if [ -e checkpoint ]; then mkdir -p out && mv checkpoint out/CHECKPOINT; fi
    [ ! -e stop ] || ask_stop "$(stop_reason)"
    [ -z "$terminated" ] || ask_stop preempted
    # While the lease is valid the server decides; after it has expired the machine keeps what it was told.
    if [ "$now" -ge $((lease_end + dead_man - dead_man / 6)) ]; then ask_stop lease; fi
    if [ "$now" -ge "$lease_end" ] && [ "$max_runtime" -gt 0 ] && [ $((now - started_at)) -ge "$max_runtime" ]; then ask_stop lease; fi
}

look_at_dead_man() {
    [ "$now" -ge $((lease_end + dead_man)) ] && [ "$now" -ge "$destroy_at" ] || return 0
    destroy_at=$((now + DESTROY_EVERY))
    say 'lease expired: destroying this machine'
    sh "$self" destroy </dev/null &
}

sample_gpu() {
    [ -n "$has_gpu" ] && [ $state = running ] && [ "$now" -ge "$gpu_at" ] || return 0
    gpu_at=$((now + GPU_EVERY))
    [ -e gpu.new ] || sh "$self" gpu </dev/null &
}

beat() {
    step=$(last_step)
    if [ $state = running ] && [ -z "$stopping" ]; then
        said=$(tail -c 16384 metrics.jsonl 2>/dev/null | grep -oE '"phase": ?"[a-z]{1,20}"' | tail -n 1)
        [ -z "$said" ] || phase=$(echo "$said" | cut -d '"' -f 4)
    fi
    gpu_state=null
    [ -z "$has_gpu" ] || gpu_state=$(cat gpu.state 2>/dev/null || echo null)
    printf '{"t":%d,"step":%d,"phase":"%s","attempt":%s,"disk_free_mb":%s,"restarts":%d,"gpu":%s,"dead_man":"%s"}\n' \
        "$(date +%s)" "$step" "$phase" "$attempt" "$disk_free_mb" "$restarts" "$gpu_state" "$dead_man_state" >beat.new &&
        mv beat.new beat
}

# Starts, adopts or settles; afterwards the state is running or ended.
take_up() {
    if ! (cd bundle && sha256sum -c MANIFEST >/dev/null && grep -q 'spec\.json$' MANIFEST && grep -q 'trainer\.py$' MANIFEST); then
        write_exit 65 bad-bundle
        exit 65
    fi
    if alive; then
        say "adopting trainer $pid"
    elif [ -e code ]; then
        say 'the trainer ended while nobody watched'
    elif [ -e stop ]; then
        write_exit 143 "$(stop_reason)"
    else
        clear_survivors
        if count_start; then
            start_trainer
            say "started trainer, restarts $restarts"
        else
            write_exit 70 crash-loop
        fi
    fi
}

# Something that should not wait for the next beat.
pressing() {
    [ $state != ended ] || return 1
    [ -e code ] || [ -e checkpoint ] && return
    [ -z "$stopping" ] && { [ -e stop ] || [ -n "$terminated" ]; }
}

nap() {
    ticks=0
    while [ $ticks -lt 5 ]; do
        # Awaiting a child, not sleeping, lets TERM be answered at once.
        sleep "$TICK" &
        wait $!
        pressing && return
        ticks=$((ticks + 1))
    done
}

main() {
    trap '' HUP
    trap 'terminated=1' TERM
    now=$(uptime)
    attempt=$(tr -d ' \n\r\t' <bundle/spec.json 2>/dev/null | grep -oE '[{,]"attempt":("[A-Za-z0-9._-]*"|[0-9]{1,9})' | head -n 1)
    attempt=${attempt#*:}
    attempt=${attempt:-null}
    state=running phase=starting stopping='' terminated='' disk_free_mb=null
    lease_seq='' lease_end=$now destroy_at=0 gpu_at=0 kill_at=0 started_at=$now
    grace=$(number grace_s 120) lease_s=$(number lease_s 900) dead_man=$(number dead_man_s 3600) max_runtime=$(number max_runtime_s 0)
    dead_man_state=$(dead_man_means)
    has_gpu=$(command -v nvidia-smi)
    rm -f gpu.new
    mkdir -p out # whoever collects looks here, however early it ended
    read -r restarts _ 2>/dev/null <restarts || restarts=0
    beat # hashing a large bundle takes a while
    take_up
    # It goes on after `exit`: collecting takes time, and somebody must destroy the machine if the server never comes back.
    while :; do
        now=$(uptime)
        look_at_lease
        look_at_disk
        [ $state = ended ] || look_at_requests
        [ $state = ended ] || look_at_trainer
        sample_gpu
        look_at_dead_man
        beat
        nap
    done
}

# The shell keeps the lock on a saved descriptor that closes on exec: a child with it would block every successor.
main 9>&-
