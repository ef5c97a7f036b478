using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;

namespace Dashboard.Web.Tests.Costs;

/// <summary>Spend of a team as the meter would have posted it.</summary>
internal static class LedgerSeed
{
    /// <summary>Three entries in November 2026, $3.94 in all: $2.82 of one project in the last half hour of the 10th, $1.12 of another on the 12th.</summary>
    public static void Month(TeamSeed seed)
    {
        var account = seed.Connection(TeamSeed.VastAi);
        Spend(seed, account, "support-bot-v6", JobStatus.Succeeded, 2.71m, new DateTimeOffset(2026, 11, 10, 23, 30, 0, TimeSpan.Zero), diskUsd: 0.11m);
        Spend(seed, account, "legal-sum", JobStatus.Failed, 1.12m, new DateTimeOffset(2026, 11, 12, 8, 0, 0, TimeSpan.Zero), project: "legal-summaries");
    }

    public static Job Spend(TeamSeed seed, Connection account, string name, JobStatus status, decimal usd, DateTimeOffset at, decimal diskUsd = 0, string? project = null, int skip = 0, bool estimated = false, string[]? tags = null, Action<Attempt>? with = null)
    {
        var job = seed.Job(account, name, status, project: project is null ? null : seed.Project(project), skip: skip, tags: tags);
        var attempt = seed.Attempt(job);
        with?.Invoke(attempt);
        var machine = seed.Instance(job, attempt, InstanceStatus.Gone);
        seed.Charge(job, attempt, machine, account.Market, usd, at, estimated: estimated);
        if (diskUsd > 0)
        {
            seed.Charge(job, attempt, machine, account.Market, diskUsd, at, ChargeKind.Disk);
        }

        return job;
    }
}
