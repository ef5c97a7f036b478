using Dashboard.Tests.Shared;
using Microsoft.Data.Sqlite;

namespace Dashboard.EndToEnd.Harness;

/// <summary>
/// Kills the server with SIGKILL at random moments and starts it again: a quarter of the kills while it is still starting, the others at
/// any moment after it has recovered. Recovered means: from the start of the process until a complete listing of the account has been
/// compared with every open row.
/// </summary>
internal sealed class Reaper(World world, int seed)
{
    private const double WhileStarting = 0.25;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Books _books = new(world.Server.Database);
    private readonly List<double> _recoveries = [];
    private readonly List<double> _computed = [];

    /// <summary>Seconds of every start that was left to recover.</summary>
    public IReadOnlyList<double> Recoveries => _recoveries;

    /// <summary>Processor seconds of the server up to the same moment: what the wait would be made of on a computer that does nothing else.</summary>
    public IReadOnlyList<double> Computed => _computed;

    public int KilledWhileStarting { get; private set; }

    public async Task KillAsync(int times, CancellationToken ct)
    {
#pragma warning disable CA5394 // reproducible moments, not secrets
        var random = new Random(seed);
        for (var kill = 0; kill < times; kill++) // the first comes once jobs are under way: nothing is listed before
        {
            if (kill > 0 && random.NextDouble() < WhileStarting)
            {
                await Task.Delay(TimeSpan.FromSeconds(0.1 + (random.NextDouble() * 2.9)), TimeProvider.System, ct);
                KilledWhileStarting++;
            }
            else
            {
                await RecoveredAsync(measured: kill > 0, ct);
                await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * 6), TimeProvider.System, ct);
            }

            await world.Server.KillAsync();
            world.Server.Launch();
        }
#pragma warning restore CA5394
        await RecoveredAsync(measured: true, ct);
        await world.Server.ReadyAsync(ct);
    }

    private async Task RecoveredAsync(bool measured, CancellationToken ct)
    {
        var since = world.Server.LaunchedAt;
        await Eventually.HoldsAsync(() => HasListedSince(since), $"the server that was started at {since:HH:mm:ss} has listed the account", Patience, ct);
        if (measured)
        {
            _computed.Add(world.Server.Computed.TotalSeconds);
            _recoveries.Add((_books.ListedAt()!.Value - since).TotalSeconds);
        }
    }

    // A database that is just being recovered is busy.
    private bool HasListedSince(DateTimeOffset since)
    {
        try
        {
            return _books.ListedAt() > since;
        }
        catch (SqliteException)
        {
            return false;
        }
    }
}
