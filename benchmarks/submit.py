"""From a submission to its first log line, above the market's boot; from a cancellation to the accepted DELETE and to the proven end.

The boot is the market's own time from the contract to its container running; sshd and the key have no delay of their own
here, so what sshd needs to come up counts against us. Beside it, on the same machine in the same round: `ssh host echo`.
"""

import pathlib
import subprocess
import tempfile
import time

import figures
import processes

SCRIPT = "echo first line; sleep 600"


def newest(world):
    return max(world.truth()["instances"], key=lambda instance: instance["id"])


class Peer:
    """OpenSSH's own client on a key of its own."""

    def __init__(self, folder):
        self.key = pathlib.Path(folder) / "peer"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)

    def seconds(self, world, contract):
        world.market("POST", f"/api/v0/instances/{contract}/ssh/", {"ssh_key": self.key.with_suffix(".pub").read_text().strip()})
        row = world.market("GET", f"/api/v0/instances/{contract}/")["instances"]
        port = row["ports"]["22/tcp"][0]["HostPort"]
        command = ["ssh", "-q", "-F", "none", "-i", self.key, "-p", port, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                   "-o", "UserKnownHostsFile=/dev/null", "root@127.0.0.1", "echo"]

        def tried():
            began = time.monotonic()
            return time.monotonic() - began if subprocess.run(command, capture_output=True).returncode == 0 else None

        return processes.until(tried, "ssh signs in")


def one_round(world, peer, number_of_round):
    began = time.time()
    number = world.api("POST", "jobs", {
        "name": f"bench-{number_of_round}",
        "spec": {"preset": "command", "backend": "command", "command": {"script": SCRIPT, "collect": []}},
    })["number"]
    processes.until(lambda: b"first line" in world.log_bytes(number), "the first line arrives")
    first_line = time.time() - began
    machine = newest(world)
    boot = machine["running"][0]["start"] - machine["created"]
    ssh = peer.seconds(world, machine["id"])

    cancelled = time.time()
    world.api("POST", f"jobs/{number}/cancel", {"mode": "DestroyNow"})

    def accepted_delete():
        return next((request["at"] for request in world.truth()["requests"]
                     if request["method"] == "DELETE" and f"/instances/{machine['id']}" in request["path"] and request["status"] == 200), None)

    deleted = processes.until(accepted_delete, "the DELETE is accepted")
    processes.until(lambda: any(row["contractId"] == str(machine["id"]) and row["status"] == "Gone" for row in world.api("GET", "machines?all=true")), "the machine is proven gone")
    return first_line - boot, ssh, deleted - cancelled, time.time() - deleted


def main():
    options = figures.arguments(rounds=5)
    with processes.World(boot_seconds=2) as world, tempfile.TemporaryDirectory() as folder:
        peer = Peer(folder)
        rounds = list(zip(*(one_round(world, peer, index) for index in range(options.rounds))))
    above_boot, ssh, to_delete, to_gone = rounds
    table = figures.Figures()
    table.seconds("submit to first log line, above the boot", above_boot, 2.5)
    table.beside("the same, beside a fresh connection", above_boot, "ssh host echo", ssh)
    table.seconds("cancel to accepted DELETE", to_delete, 2)
    table.seconds("accepted DELETE to Gone", to_gone, 15)
    table.print(options.strict)


if __name__ == "__main__":
    main()
