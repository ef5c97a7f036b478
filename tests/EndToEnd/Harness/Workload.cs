using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>Keeps a number of jobs in flight through every absence of the server: short scripts whose every line is another one, a trainer now and then, some of them stopped by a person.</summary>
internal sealed class Workload(World world, Api api, string connection, int inFlight, int seed)
{
    private const int SmokeEvery = 6;
    private const int LoudEvery = 9;
    private const double StoppedShare = 0.12;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    // Loud: half a megabyte at once, more than one read of the tail.
    private const string Quiet = "for i in $(seq 1 40); do echo \"line $i of $$ $(cat /proc/sys/kernel/random/uuid)\"; sleep 0.2; done; echo done > out.txt";
    private const string Loud = "i=0; while [ $i -lt 12000 ]; do i=$((i+1)); echo \"line $i of a loud program, which says more than anybody reads\"; done; sleep 4; echo done > out.txt";

    private readonly Books _books = new(world.Server.Database);
    private readonly HashSet<int> _stopped = [];
    private readonly List<Task> _stopping = [];
    private readonly List<int> _smokes = [];

    /// <summary>Jobs whose stop was accepted.</summary>
    public IReadOnlySet<int> Stopped => _stopped;

    /// <summary>Those that train an adapter.</summary>
    public IReadOnlyList<int> Smokes => _smokes;

    /// <summary>Until <paramref name="enough"/> ends.</summary>
    public async Task KeepAsync(Task enough, CancellationToken ct)
    {
#pragma warning disable CA5394 // reproducible moments, not secrets
        var random = new Random(seed);
        for (var index = 1; !enough.IsCompleted; )
        {
            if (_books.Jobs().Count(job => !job.HasEnded) >= inFlight)
            {
                await Task.Delay(LookEvery, TimeProvider.System, ct);
                continue;
            }

            var number = await SubmitAsync(index++, ct);
            if (random.NextDouble() < StoppedShare)
            {
                _stopping.Add(StopAsync(number, TimeSpan.FromSeconds(random.NextDouble() * 20), random.Next(2) == 0 ? "SaveThenDestroy" : "DestroyNow", ct));
            }
        }
#pragma warning restore CA5394
        await Task.WhenAll(_stopping);
    }

    private async Task<int> SubmitAsync(int index, CancellationToken ct)
    {
        var (name, once) = ($"chaos-{index}", $"chaos-{seed}-{index}");
        if (index % SmokeEvery == 0)
        {
            var smoke = await Api.OnceServedAsync(() => api.SubmitSmokeAsync(connection, name, steps: 60, ct, once: once), ct);
            _smokes.Add(smoke);
            return smoke;
        }

        return await Api.OnceServedAsync(() => api.SubmitScriptAsync(connection, name, index % LoudEvery == 0 ? Loud : Quiet, ["out.txt"], ct, once), ct);
    }

    private async Task StopAsync(int number, TimeSpan after, string mode, CancellationToken ct)
    {
        await Task.Delay(after, TimeProvider.System, ct);
        if (await Api.OnceServedAsync(() => api.CancelAsync(number, mode, ct), ct))
        {
            lock (_stopped)
            {
                _stopped.Add(number);
            }
        }
    }
}
