#!/bin/sh
# Container start-up text, run at every start and safe to run again. Nothing in it is secret.
G=${GD_ROOT:-/workspace/.gd}
K=${GD_HOSTKEYS:-/etc/ssh}
E=${GD_ENVIRONMENT:-/etc/environment}
T=${GD_TICK_S:-10}
umask 022
mkdir -p "$G"
touch "${HOME:-/root}/.no_auto_tmux"

# SSH sessions see only /etc/environment. Our block is replaced, never repeated: addresses may change between starts.
touch "$E"
{
    sed '/^# gd>$/,/^# gd<$/d' "$E"
    echo '# gd>'
    env | grep -E '^[A-Za-z_][A-Za-z0-9_]*=' | grep -vE '^(_|HOME|PWD|OLDPWD|SHLVL|GD_ENVIRONMENT|GD_HOSTKEYS)='
    echo '# gd<'
} >"$G/environment.$$" && cat "$G/environment.$$" >"$E"
rm -f "$G/environment.$$"

# "gd-hostkey SHA256:... (ED25519)": the container log is the second way to learn the host key.
fingerprints() {
    seen=1
    for k in "$K"/ssh_host_*_key.pub; do
        [ -s "$k" ] && line=$(ssh-keygen -lf "$k" 2>/dev/null) || continue
        line=${line#* }
        echo "gd-hostkey ${line%% *} ${line##* }"
        seen=0
    done
    return $seen
}
if ! fingerprints; then
    (
        trap '' HUP
        n=0
        until fingerprints || [ $n -ge 600 ]; do sleep 1; n=$((n + 1)); done
    ) </dev/null 2>/dev/null &
fi

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

# Dead man until a supervisor beats (it has its own): no lease and no beat changed for that long -> destroy, for ever.
uptime() { read -r up _ <"${GD_UPTIME:-/proc/uptime}"; echo "${up%%.*}"; }
(
    trap '' HUP
    flock -n 8 || exit 0
    state=
    end=0
    while :; do
        now=$(uptime)
        new=$(cat "$G"/*/lease "$G"/*/beat 2>/dev/null | cksum)
        if [ "$new" != "$state" ]; then
            state=$new
            for=$(sed -n 's/.*"for": *\([0-9]\{1,6\}\).*/\1/p' "$G"/*/lease 2>/dev/null | sort -n | tail -n 1)
            end=$((now + ${for:-0} + ${GD_DEAD_MAN_S:-3600}))
        fi
        if [ "$now" -ge "$end" ]; then
            destroy 8>&-
            sleep "${GD_DESTROY_S:-60}" 8>&-
        else
            sleep "$T" 8>&-
        fi
    done
) </dev/null >/dev/null 2>&1 8>"$G/deadman.lock" &

# A restarted container goes on by itself; the supervisor's own lock sees to it that there is one.
for m in "$G"/*/bundle/MANIFEST; do
    r=${m%/bundle/MANIFEST}
    [ -e "$m" ] && [ ! -e "$r/exit" ] || continue
    setsid sh "$r/bundle/supervisor.sh" </dev/null >>"$r/supervisor.log" 2>&1 &
done
exit 0
