using System.Security.Cryptography;
using System.Text;
using Dashboard.Infrastructure.Lifecycle;

namespace Dashboard.Simulation.Machines;

/// <summary>One rented machine: its container, its sshd, and the program on it. It knows nothing of the server, only what was asked over SSH.</summary>
internal sealed class SimulatedHost(int contractId, TimeSpan programRuns)
{
    private int _keys;
    private DateTimeOffset? _runsSince;
    private TimeSpan _done;

    public bool Up { get; private set; }

    public DateTimeOffset SshFrom { get; private set; }

    public bool RefusesSsh { get; set; }

    /// <summary>Every open connection was dropped; the next use of one notices.</summary>
    public bool SessionsCut { get; set; }

    /// <summary>Neither sshd nor the program does anything until then.</summary>
    public DateTimeOffset FrozenUntil { get; private set; }

    public bool DiskFull { get; set; }

    public string HostKey { get; private set; } = KeyOf(contractId, 0);

    /// <summary>What it printed to its container log at its start.</summary>
    public string PrintedKey { get; private set; } = KeyOf(contractId, 0);

    /// <summary>Where the bundle was put; null before.</summary>
    public string? Root { get; private set; }

    public RunExit? Exit { get; private set; }

    public long LogBytes => Root is null ? 0 : 100 + (long)_done.TotalSeconds;

    public bool SupervisorUp { get; private set; }

    private DateTimeOffset? SupervisorDownSince { get; set; }

    public void ContainerUp(DateTimeOffset now, TimeSpan sshDelay)
    {
        (Up, SshFrom, SessionsCut) = (true, now + sshDelay, false);
        SupervisorDownSince = now;
    }

    public void ContainerDown(DateTimeOffset now)
    {
        StopSupervisor(now);
        Up = false;
    }

    public void ChangeHostKey() => HostKey = KeyOf(contractId, ++_keys);

    public void Freeze(DateTimeOffset now, TimeSpan time)
    {
        Note(now);
        FrozenUntil = now + time;
        _runsSince = SupervisorUp ? FrozenUntil : null;
    }

    /// <summary>The bundle is there and the supervisor is to run.</summary>
    public void Launch(string root, DateTimeOffset now)
    {
        Root = root;
        StartSupervisor(now);
    }

    /// <summary>Harmless while one runs.</summary>
    public void StartSupervisor(DateTimeOffset now)
    {
        if (!SupervisorUp && Exit is null && Root is not null)
        {
            (SupervisorUp, _runsSince) = (true, now);
        }
    }

    public void StopSupervisor(DateTimeOffset now)
    {
        Note(now);
        if (SupervisorUp)
        {
            (SupervisorUp, _runsSince, SupervisorDownSince) = (false, null, now);
        }
    }

    public void AskToStop(DateTimeOffset now) => End(now, new RunExit(0, null, "stopped", 1));

    public void RunOutOfDisk(DateTimeOffset now) => End(now, new RunExit(1, null, "disk", 1));

    /// <summary>Lets the program get as far as it has by now.</summary>
    public void Note(DateTimeOffset now)
    {
        if (_runsSince is not { } since || now <= since)
        {
            return;
        }

        _done += now - since;
        _runsSince = now;
        if (_done >= programRuns)
        {
            End(now, new RunExit(0, null, "done", 100));
        }
    }

    public RunBeat? Beat(DateTimeOffset now) => Root is null ? null
        : new RunBeat(now, SupervisorUp ? 2 : (now - (SupervisorDownSince ?? now)).TotalSeconds, (int)_done.TotalSeconds, "train");

    private void End(DateTimeOffset now, RunExit exit)
    {
        if (Exit is null && SupervisorUp)
        {
            (Exit, SupervisorUp, _runsSince, SupervisorDownSince) = (exit, false, null, now);
        }
    }

    private static string KeyOf(int contract, int generation) =>
        "SHA256:" + Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes($"{contract}/{generation}"))).TrimEnd('=');
}
