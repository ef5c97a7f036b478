using Dashboard.Simulation.Faults;

namespace Dashboard.Simulation.Crashes;

/// <param name="Number">Its place in the table, from 1.</param>
/// <param name="Name">What happens right then.</param>
/// <param name="Lure">A fault that makes a world come by here; null where every job does.</param>
internal sealed record CrashPoint(int Number, string Name, string? Lure)
{
    public override string ToString() => $"{Number} {Name}";
}

/// <summary>
/// Where a server can die: before a call leaves, after it took effect and before its answer is known, before and after each
/// kind of commit. A new one is one line.
/// </summary>
internal static class CrashPoints
{
    public static IReadOnlyList<CrashPoint> All { get; } = Number(
        // The provider.
        ("before search", null),
        ("after search", null),
        ("before rent", null),
        ("after rent", null),
        ("before list", null),
        ("after list", null),
        ("before find", "rent: answer lost, 502 page"),
        ("after find", "rent: answer lost, 502 page"),
        ("before get", "machine vanishes from listings"),
        ("after get", "machine vanishes from listings"),
        ("before attach key", null),
        ("after attach key", null),
        ("before read log", null),
        ("after read log", null),
        ("before destroy", null),
        ("after destroy", null),
        ("before account", "stopped by the provider"),
        ("after account", "stopped by the provider"),
        ("before stop machine", "kept by a person and started again"),
        ("after stop machine", "kept by a person and started again"),
        ("before start machine", "kept by a person and started again"),
        ("after start machine", "kept by a person and started again"),

        // The machine.
        ("before reach", null),
        ("after reach", null),
        ("before start", null),
        ("after start", null),
        ("before look", null),
        ("after look", null),
        ("before renew lease", null),
        ("after renew lease", null),
        ("before ask to stop", "runtime limit"),
        ("after ask to stop", "runtime limit"),
        ("before ask to save", "kept by a person and started again"),
        ("after ask to save", "kept by a person and started again"),
        ("before restart", "supervisor dies"),
        ("after restart", "supervisor dies"),
        ("before collect", null),
        ("after collect", null),
        ("before release", null),
        ("after release", null),

        // The database.
        ("before claim of a job", null),
        ("after claim of a job", null),
        ("before claim of an instance", null),
        ("after claim of an instance", null),
        ("before a lease is handed back", null),
        ("before commit: job Provisioning", null),
        ("after commit: job Provisioning", null),
        ("before commit: instance Intent", null),
        ("after commit: instance Intent", null),
        ("before commit: instance Sent", null),
        ("after commit: instance Sent", null),
        ("before commit: instance Unknown", "rent: answer lost, 502 page"),
        ("after commit: instance Unknown", "rent: answer lost, 502 page"),
        ("before commit: instance Rejected", "offer gone"),
        ("after commit: instance Rejected", "offer gone"),
        ("before commit: instance Booting", null),
        ("after commit: instance Booting", null),
        ("before commit: instance Ready", null),
        ("after commit: instance Ready", null),
        ("before commit: instance Running", null),
        ("after commit: instance Running", null),
        ("before commit: instance Parked", "kept by a person and started again"),
        ("after commit: instance Parked", "kept by a person and started again"),
        ("before commit: instance Draining", null),
        ("after commit: instance Draining", null),
        ("before commit: instance Destroying", null),
        ("after commit: instance Destroying", null),
        ("before commit: instance Gone", null),
        ("after commit: instance Gone", null),
        ("before commit: ledger", null),
        ("after commit: ledger", null),
        ("before commit: instance noted", null),
        ("after commit: instance noted", null),
        ("before commit: account noted", null),
        ("after commit: account noted", null));

    /// <summary>Where a frozen server may stand: at a call, with no transaction open.</summary>
    public static IReadOnlyList<CrashPoint> Calls { get; } = [.. All.TakeWhile(point => !point.Name.Contains("claim", StringComparison.Ordinal))];

    public static CrashPoint Named(string name) => All.Single(point => point.Name == name);

    public static Fault? LureOf(CrashPoint point) => point.Lure is { } name ? FaultTable.Named(name) : null;

    private static List<CrashPoint> Number(params (string Name, string? Lure)[] lines) => [.. lines.Select((line, index) => new CrashPoint(index + 1, line.Name, line.Lure))];
}
