using System.Diagnostics;

namespace Dashboard.Tests.Shared;

/// <summary>Waits for a condition instead of sleeping: asks again every few milliseconds until it holds, less often the longer it has waited. Asking costs the processor that the awaited thing needs.</summary>
public static class Eventually
{
    private const int LaterByAShareOf = 20; // a wait becomes longer by a twentieth at most
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Latest = TimeSpan.FromMilliseconds(200);

    /// <summary>Returns once <paramref name="holds"/> is true; throws <see cref="TimeoutException"/> naming <paramref name="what"/> when it is not within <paramref name="within"/> (default 2 min: a busy machine is not a failure).</summary>
    public static async Task HoldsAsync(Func<Task<bool>> holds, string what, TimeSpan? within = null, CancellationToken ct = default)
    {
        var limit = within ?? TimeSpan.FromMinutes(2);
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed > limit)
            {
                throw new TimeoutException($"Not within {limit.TotalSeconds:0} s: {what}");
            }

            await Task.Delay(Between(clock.Elapsed), TimeProvider.System, ct);
        }
    }

    public static Task HoldsAsync(Func<bool> holds, string what, TimeSpan? within = null, CancellationToken ct = default) =>
        HoldsAsync(() => Task.FromResult(holds()), what, within, ct);

    private static TimeSpan Between(TimeSpan waited) => TimeSpan.FromTicks(Math.Clamp(waited.Ticks / LaterByAShareOf, Soonest.Ticks, Latest.Ticks));
}
