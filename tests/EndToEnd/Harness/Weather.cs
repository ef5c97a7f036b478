using System.Collections.Concurrent;
using System.Globalization;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>
/// A marketplace on a bad day: a share of every kind of call goes wrong in every way, and every other machine has something the matter
/// with it. Drawn from a seed, by the order of calls and machines. A new fault is one line in a table.
/// </summary>
internal sealed class Weather(SandboxProcess sandbox, int seed)
{
    /// <summary>Method, path, kind, share of the calls, further fields.</summary>
    private static readonly (string Method, string Path, string Kind, double Share, string More)[] OfCalls =
    [
        ("PUT", "/api/v0/asks/*", "drop", 0.05, ",\"after_effect\":true"),
        ("PUT", "/api/v0/asks/*", "drop", 0.03, ""),
        ("PUT", "/api/v0/asks/*", "status", 0.04, ",\"status\":502,\"after_effect\":true"),
        ("PUT", "/api/v0/asks/*", "status", 0.02, ",\"status\":500"),
        ("PUT", "/api/v0/asks/*", "status", 0.03, ",\"status\":429"),
        ("PUT", "/api/v0/asks/*", "malformed", 0.03, ""),
        ("PUT", "/api/v0/asks/*", "timeout", 0.02, ",\"seconds\":3,\"after_effect\":true"),
        ("GET", "/api/v1/instances", "status", 0.03, ",\"status\":500"),
        ("GET", "/api/v1/instances", "status", 0.02, ",\"status\":502"),
        ("GET", "/api/v1/instances", "status", 0.02, ",\"status\":429"),
        ("GET", "/api/v1/instances", "cut", 0.02, ""),
        ("GET", "/api/v1/instances", "cut_page", 0.03, ",\"keep\":3"),
        ("GET", "/api/v1/instances", "repeat_page", 0.02, ""),
        ("GET", "/api/v1/instances", "malformed", 0.02, ""),
        ("GET", "/api/v1/instances", "stale", 0.02, ""),
        ("GET", "/api/v1/instances", "delay", 0.05, ",\"seconds\":1"),
        ("GET", "/api/v0/instances/*", "status", 0.05, ",\"status\":502"),
        ("DELETE", "/api/v0/instances/*", "drop", 0.06, ",\"after_effect\":true"),
        ("DELETE", "/api/v0/instances/*", "drop", 0.05, ""),
        ("DELETE", "/api/v0/instances/*", "status", 0.06, ",\"status\":500"),
        ("DELETE", "/api/v0/instances/*", "status", 0.05, ",\"status\":429"),
        ("DELETE", "/api/v0/instances/*", "timeout", 0.03, ",\"seconds\":3"),
        ("POST", "/api/v0/instances/*/ssh", "drop", 0.08, ",\"after_effect\":true"),
        ("POST", "/api/v0/bundles", "status", 0.03, ",\"status\":502"),
    ];

    /// <summary>Kind, seconds, share of the machines, whether the machine or its program does not survive it.</summary>
    private static readonly (string Kind, int? Seconds, double Share, bool Deadly)[] OfMachines =
    [
        ("session_cut", null, 0.10, false),
        ("ssh_late", 4, 0.06, false),
        ("ssh_refusing", 5, 0.06, false),
        ("no_heartbeat", 6, 0.06, false),
        ("stuck_loading", 8, 0.05, false),
        ("destroy_lags", 5, 0.07, false),
        ("destroy_lies", 25, 0.05, false),
        ("oci_failure", null, 0.03, true),
        ("container_exits", null, 0.03, true),
        ("host_offline", 600, 0.03, true),
    ];

#pragma warning disable CA5394 // reproducible faults, not secrets
    private readonly Random _random = new(seed);
    private readonly ConcurrentDictionary<string, string> _struck = new();
    private readonly List<Task> _late = [];

    /// <summary>Contract ids whose machine or program did not survive, and what they met.</summary>
    public IReadOnlyDictionary<string, string> Dead => _struck.Where(one => OfMachines.Any(fault => fault.Kind == one.Value && fault.Deadly)).ToDictionary();

    /// <summary>Machines that had something the matter with them.</summary>
    public int Struck => _struck.Count;

    public async Task BeginAsync(CancellationToken ct)
    {
        for (var index = 0; index < OfCalls.Length; index++)
        {
            var (method, path, kind, share, more) = OfCalls[index];
            await sandbox.SwitchAsync(HttpMethod.Post, "/faults", string.Create(CultureInfo.InvariantCulture, $"{{\"method\":\"{method}\",\"path\":\"{path}\",\"kind\":\"{kind}\",\"probability\":{share},\"seed\":{seed + index}{more}}}"), ct);
        }
    }

    /// <summary>Decides what a machine that has just been rented is to meet, and when. Called once for each, in their order.</summary>
    public void Meet(string contractId, CancellationToken ct)
    {
        var (roll, after) = (_random.NextDouble(), TimeSpan.FromSeconds(_random.NextDouble() * 12));
        foreach (var (kind, seconds, share, _) in OfMachines)
        {
            roll -= share;
            if (roll >= 0)
            {
                continue;
            }

            // What is the matter with a start must be so from the start.
            var atOnce = kind is "ssh_late" or "stuck_loading" or "oci_failure" or "destroy_lags" or "destroy_lies";
            _late.Add(StrikeAsync(contractId, kind, seconds, atOnce ? TimeSpan.Zero : after, ct));
            return;
        }
    }

    public Task EndAsync() => Task.WhenAll(_late);

    // The machine may be gone by then.
    private async Task StrikeAsync(string contractId, string kind, int? seconds, TimeSpan after, CancellationToken ct)
    {
        try
        {
            await Task.Delay(after, TimeProvider.System, ct);
            await sandbox.SwitchAsync(HttpMethod.Put, $"/instances/{contractId}/faults/{kind}", seconds is null ? "{}" : string.Create(CultureInfo.InvariantCulture, $"{{\"seconds\":{seconds}}}"), ct);
            _struck[contractId] = kind;
        }
        catch (HttpRequestException)
        {
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
    }
#pragma warning restore CA5394
}
