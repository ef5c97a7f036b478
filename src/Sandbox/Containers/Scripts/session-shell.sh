#!/bin/sh
# Login shell of an instance. PAM would read /etc/environment; this sshd runs without it, so the shell does: the container's variables are
# visible in a session only after onstart wrote them there.
if [ -r /etc/environment ]; then
    while IFS= read -r line; do
        case ${line%%=*} in
            "$line" | '' | [0-9]* | *[!A-Za-z0-9_]*) ;;
            PWD | OLDPWD | SHLVL | _ | SHELL) ;;
            *) export "$line" ;;
        esac
    done </etc/environment
fi
export SHELL=/bin/bash
[ $# -eq 0 ] && exec /bin/bash -l
exec /bin/bash "$@"
