using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What one way of stopping several jobs means for one of them.</summary>
/// <param name="Way">Null: there is nothing left to stop, or not in this way any more.</param>
public sealed record BulkStopLine(JobView Job, StopChoice? Way);

/// <summary>Several jobs stopped with one answer: one truth for all of them, to the same words as for one.</summary>
/// <param name="Jobs">As they are now.</param>
public sealed record BulkStop(IReadOnlyList<JobView> Jobs)
{
    public Money? SoFar(DateTimeOffset now) => Jobs.All(j => j.Meter is not null) ? Jobs.Aggregate(Money.Zero, (sum, j) => sum + j.Meter!.SoFar(now)) : null;

    /// <summary>What they bill together now; null when the reader may not see money.</summary>
    public HourlyRate? Rate(DateTimeOffset now) => Jobs.All(j => j.Meter is not null) ? Jobs.Aggregate(HourlyRate.Zero, (sum, j) => sum + j.Meter!.Rate(now)) : null;

    /// <summary>Ways that at least one of them offers, the safe one first.</summary>
    public IReadOnlyList<CancelMode> Ways(DateTimeOffset now) => [.. Jobs.SelectMany(j => StopChoice.For(j, now)).Select(c => c.Mode).Distinct().Order()];

    /// <summary>Each job under <paramref name="mode"/>. One that only knows the more urgent way (it is saving already) is left alone by the gentle one.</summary>
    public IReadOnlyList<BulkStopLine> Lines(CancelMode mode, DateTimeOffset now) => [.. Jobs.Select(j => new BulkStopLine(j, WayOf(StopChoice.For(j, now), mode)))];

    /// <summary>Most that the way itself may still cost, all together.</summary>
    public Money Now(CancelMode mode, DateTimeOffset now) => Lines(mode, now).Aggregate(Money.Zero, (sum, line) => sum + (line.Way?.Now ?? Money.Zero));

    // A job without a machine has one way, whatever the others are told: it is cancelled.
    private static StopChoice? WayOf(IReadOnlyList<StopChoice> ways, CancelMode mode) =>
        ways.FirstOrDefault(w => w.Mode == mode) ?? (mode == CancelMode.DestroyNow && ways.Count > 0 ? ways[0] : ways.FirstOrDefault(w => w.Loses is null));
}

/// <summary>Reads and stops several jobs.</summary>
public sealed class BulkStopping(JobQueries jobs, CancelJob cancel)
{
    /// <summary>Those of <paramref name="numbers"/> that exist, in that order.</summary>
    public async Task<BulkStop> PlanAsync(TeamContext team, IReadOnlyCollection<int> numbers, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        var views = new List<JobView>(numbers.Count);
        foreach (var number in numbers)
        {
            if (await jobs.FindAsync(team, number, ct) is { } view)
            {
                views.Add(view);
            }
        }

        return new BulkStop(views);
    }

    /// <summary>Asks every job of the plan that this way concerns to stop, each by itself: one that fails keeps none of the others running.</summary>
    /// <returns>How many were asked, and how many had nothing left to stop.</returns>
    public async Task<(int Asked, int Over)> RunAsync(TeamContext team, BulkStop plan, CancelMode mode, DateTimeOffset now, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        var (asked, over) = (0, 0);
        foreach (var line in plan.Lines(mode, now))
        {
            var result = line.Way is { } way ? await cancel.RunAsync(team, line.Job.Number, way.Mode, ct) : CancelResult.NothingToStop;
            _ = result == CancelResult.Accepted ? asked++ : over++;
        }

        return (asked, over);
    }

    /// <summary><c>3 jobs are asked to stop; 1 had nothing left to stop.</c></summary>
    public static string Words(int asked, int over) => (asked, over) switch
    {
        (0, _) => "Nothing was left to stop.",
        (_, 0) => $"{Numbers.Count(asked, "job is", "jobs are")} asked to stop.",
        _ => $"{Numbers.Count(asked, "job is", "jobs are")} asked to stop; {Numbers.Count(over)} had nothing left to stop.",
    };
}
