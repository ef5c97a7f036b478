#!/bin/bash
# First process of an instance: starts sshd, runs the renter's onstart as at every start of a container, then adopts and reaps whatever is orphaned.
mkdir -p /var/log
@SSHD_ENVIRONMENT@ @SSHD@ -D -f /etc/ssh/sshd_config -E /var/log/sshd.log &
cd /root || exit 1
if [ -s /root/onstart.sh ]; then
    bash /root/onstart.sh </dev/null &
fi
while :; do
    sleep infinity &
    wait
done
