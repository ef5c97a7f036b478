using System.Diagnostics;

namespace Dashboard.Tests.Shared;

/// <summary>Waits for a condition instead of sleeping: asks again every few milliseconds until it holds.</summary>
public static class Eventually
{
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

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
        }
    }

    public static Task HoldsAsync(Func<bool> holds, string what, TimeSpan? within = null, CancellationToken ct = default) =>
        HoldsAsync(() => Task.FromResult(holds()), what, within, ct);
}
