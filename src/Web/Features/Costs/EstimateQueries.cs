using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <param name="Period">Jobs that ended in it.</param>
/// <param name="All">Failed, stopped and declined jobs too; else those that succeeded.</param>
public sealed record EstimatesQuestion(CostPeriod Period, CostScope Scope, bool All);

/// <summary>How long a part was to take and took; null: not known.</summary>
public sealed record PartTimes(EstimatePart Part, TimeSpan? Estimated, TimeSpan? Actual);

/// <summary>A job that has ended, what its estimate said and what it came to.</summary>
/// <param name="Took">From the rent call to the end of its last machine; null: not known.</param>
/// <param name="MachineId">The provider's id of the machine that it ended on.</param>
/// <param name="Parts">Empty: it was on several machines, or was interrupted, so that no part is one stretch.</param>
public sealed record EstimateRow(
    int Number, string Name, string Project, DateTimeOffset EndedAt, JobStatus Status, EstimateOutcome Outcome, TimeSpan? Took,
    string GpuName, int GpuCount, string MachineId, string? Location, Market Market, int Attempts, IReadOnlyList<PartTimes> Parts);

/// <param name="Name">A GPU model, or a machine.</param>
/// <param name="Note">What else is to be said of it.</param>
public sealed record EstimateGroup(string Name, string? Note, EstimateScore Score);

/// <param name="Rows">The newest first.</param>
/// <param name="Without">Ended jobs of the same view that had no estimate, or never had a machine.</param>
/// <param name="Simulated">None of it is money.</param>
/// <param name="Projects">To choose from.</param>
public sealed record EstimatesView(
    IReadOnlyList<EstimateRow> Rows, EstimateScore Score, IReadOnlyList<EstimateGroup> Gpus, IReadOnlyList<EstimateGroup> Machines, int Without, bool Simulated, ScopeNames Names, IReadOnlyList<(ProjectId Id, string Name)> Projects);

/// <summary>What estimates said when jobs were submitted, against what the ledger has of them. Nothing is estimated here: what is not stored is not shown.</summary>
public sealed class EstimateQueries(AppDatabase database)
{
    private static readonly JobStatus[] Succeeded = [JobStatus.Succeeded];
    private static readonly JobStatus[] Ended = [JobStatus.Succeeded, JobStatus.Failed, JobStatus.Cancelled];

    public async Task<EstimatesView> ReadAsync(TeamContext team, EstimatesQuestion question, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        var scope = question.Scope;
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        var connections = await db.Connections.AsNoTracking().Where(c => c.TeamId == team.TeamId && c.Market.Simulated == simulated).Select(c => new { c.Id, c.Market }).ToDictionaryAsync(c => c.Id, c => c.Market, ct);
        var projects = await db.Projects.AsNoTracking().OrderBy(p => p.CreatedAt).Select(p => new { p.Id, p.Name }).ToListAsync(ct);
        var names = projects.ToDictionary(p => p.Id, p => p.Name);

        var jobs = await JobsAsync(db, team.TeamId, question, ct);
        jobs.RemoveAll(j => !connections.TryGetValue(j.ConnectionId, out var market) || (scope.Provider is not null && scope.Provider != market.Provider) || !HasTags(j, scope));
        var ids = jobs.ConvertAll(j => j.Id);
        var paid = await db.Ledger.AsNoTracking().Where(e => e.TeamId == team.TeamId && ids.Contains(e.JobId)).GroupBy(e => e.JobId).Select(g => new { g.Key, Micros = g.Sum(e => e.Amount.Micros) }).ToDictionaryAsync(g => g.Key, g => new Money(g.Micros), ct);
        var machines = (await db.Instances.AsNoTracking().Where(i => i.TeamId == team.TeamId && ids.Contains(i.JobId) && i.ContractId != null).ToListAsync(ct)).ToLookup(i => i.JobId);
        var attempts = (await db.Attempts.AsNoTracking().Where(a => a.TeamId == team.TeamId && ids.Contains(a.JobId)).ToListAsync(ct)).ToLookup(a => a.JobId);
        var ends = await db.JobEvents.AsNoTracking().Where(e => e.TeamId == team.TeamId && ids.Contains(e.JobId) && e.Kind == "ending").GroupBy(e => e.JobId).Select(g => new { g.Key, At = g.Min(e => e.At) }).ToDictionaryAsync(g => g.Key, g => g.At, ct);

        var rows = new List<EstimateRow>();
        foreach (var job in jobs)
        {
            if (job.Estimate is { } estimate && machines[job.Id].MaxBy(i => i.CreatedAt) is { } last && (scope.Gpu is null || scope.Gpu == last.GpuName))
            {
                rows.Add(Row(job, estimate, paid.GetValueOrDefault(job.Id), [.. machines[job.Id]], [.. attempts[job.Id]], ends.TryGetValue(job.Id, out var ended) ? ended : null, last, connections[job.ConnectionId], names.GetValueOrDefault(job.ProjectId, "no project")));
            }
        }

        var without = jobs.Count(j => j.Estimate is null || !machines[j.Id].Any());
        return new EstimatesView(
            rows, EstimateScore.Of([.. rows.Select(r => r.Outcome)]),
            Groups(rows, r => r.GpuCount == 1 ? r.GpuName : $"{r.GpuCount} × {r.GpuName}", _ => null),
            Groups(rows, r => r.MachineId, r => $"{r.GpuName}, {r.Location ?? "an unnamed place"}, {r.Market.Name}"),
            without, simulated, new ScopeNames(scope.Project is { } project ? names.GetValueOrDefault(project) : null, await PersonAsync(db, scope, ct), jobs.FirstOrDefault(j => j.Number == scope.Job)?.Name), [.. projects.Select(p => (p.Id, p.Name))]);
    }

    private static async Task<List<Job>> JobsAsync(AppDbContext db, TeamId team, EstimatesQuestion question, CancellationToken ct)
    {
        var (start, end, scope, counted) = (question.Period.Start, question.Period.End, question.Scope, question.All ? Ended : Succeeded);
        return await db.Jobs.AsNoTracking()
            .Where(j => j.TeamId == team && j.EndedAt >= start && j.EndedAt < end && counted.Contains(j.Status)
                && (scope.Project == null || j.ProjectId == scope.Project) && (scope.Person == null || j.CreatedBy == scope.Person) && (scope.Job == null || j.Number == scope.Job))
            .OrderByDescending(j => j.EndedAt).ThenByDescending(j => j.Number).ToListAsync(ct);
    }

    private static EstimateRow Row(Job job, CostEstimate estimate, Money paid, List<Instance> machines, List<Attempt> attempts, DateTimeOffset? ended, Instance last, Market market, string project)
    {
        // One attempt on one machine that nobody took away: only then is each part one stretch.
        var whole = machines.Count == 1 && attempts is [{ Pauses.Count: 0, ResumedFrom: null }];
        var moments = whole ? new AttemptMoments(last.SentAt, last.SeenRunningAt, attempts[0].StartedAt, ended, last.DestroyAcceptedAt) : null;
        return new EstimateRow(
            job.Number, job.Name, project, job.EndedAt!.Value, job.Status, new EstimateOutcome(estimate, paid), (last.DestroyAcceptedAt ?? last.GoneAt) - machines.Min(i => i.SentAt),
            last.GpuName, last.GpuCount, last.MachineId, last.Location, market, attempts.Count,
            moments is null ? [] : [.. Enum.GetValues<EstimatePart>().Select(part => new PartTimes(part, estimate.Times?.Of(part), moments.Took(part)))]);
    }

    /// <summary>Those with most jobs first.</summary>
    private static List<EstimateGroup> Groups(List<EstimateRow> rows, Func<EstimateRow, string> name, Func<EstimateRow, string?> note) =>
        [.. rows.GroupBy(row => (Name: name(row), Market: row.Market.BaseUrl)).Select(g => new EstimateGroup(g.Key.Name, note(g.First()), EstimateScore.Of([.. g.Select(r => r.Outcome)]))).OrderByDescending(g => g.Score.Jobs).ThenBy(g => g.Name, StringComparer.Ordinal)];

    private static bool HasTags(Job job, CostScope scope)
    {
        var (tags, exactly) = scope.WantedTags;
        return scope.Tag is null || (tags.All(job.Tags.Contains) && (!exactly || tags.Count == job.Tags.Count));
    }

    private static async Task<string?> PersonAsync(AppDbContext db, CostScope scope, CancellationToken ct)
    {
        if (scope.Person is not { } person)
        {
            return null;
        }

        var id = person.Value;
        return await db.Users.Where(u => u.Id == id).Select(u => u.DisplayName).SingleOrDefaultAsync(ct);
    }
}
