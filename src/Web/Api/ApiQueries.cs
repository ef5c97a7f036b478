using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Api;

/// <param name="CostMicros">Posted to the ledger so far; null when not yours to see.</param>
internal sealed record JobListAnswer(
    Guid Id, int Number, string Name, JobStatus Status, StopReason? StopReason, string? Message, Guid Connection, Guid Project, IReadOnlyList<string> Tags,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, int AttemptCount, long? CostMicros, OrderAnswer? Order);

/// <param name="ResumedFrom">The step of the checkpoint it went on from; null: it began anew.</param>
internal sealed record AttemptAnswer(
    int Number, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, StopReason? StopReason, string? Message, int? ExitCode,
    int? Step, int? TotalSteps, double? Loss, string? Phase, int? ResumedFrom);

/// <param name="Approval">Only while its status is <c>AwaitingApproval</c>.</param>
internal sealed record JobAnswer(
    Guid Id, int Number, string Name, JobStatus Status, StopReason? StopReason, string? Message, Guid Connection, Guid Project, IReadOnlyList<string> Tags,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, long? CostMicros, IReadOnlyList<AttemptAnswer> Attempts, OrderAnswer? Order, ApprovalAnswer? Approval);

/// <param name="RateMicrosPerHour">What it costs an hour by what is known now; null when not yours to see.</param>
internal sealed record MachineAnswer(
    Guid Id, int Job, int Attempt, Guid Connection, InstanceStatus Status, string? ContractId, string Label, string GpuName, int GpuCount, string? Location,
    long? RateMicrosPerHour, DateTimeOffset CreatedAt, DateTimeOffset? BillingSince, DateTimeOffset? RunningSince, DateTimeOffset? DestroyAcceptedAt, DateTimeOffset? GoneAt, string? Message);

internal sealed record LedgerEntryAnswer(
    long Id, int Job, int Attempt, Guid Instance, string Market, bool Simulated, ChargeKind Kind, string GpuName, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd,
    long RateMicrosPerHour, decimal Quantity, long AmountMicros, bool Estimated, string? Reason, DateTimeOffset PostedAt);

/// <param name="TotalMicros">Of everything that matches, real money.</param>
/// <param name="SimulatedTotalMicros">The same, of simulated markets: nobody pays it.</param>
internal sealed record LedgerAnswer(long TotalMicros, long SimulatedTotalMicros, IReadOnlyList<LedgerEntryAnswer> Entries);

/// <summary>Read models of the API: what is written here is what callers may rely on.</summary>
internal sealed class ApiQueries(AppDatabase database)
{
    public async Task<IReadOnlyList<JobListAnswer>> JobsAsync(TeamContext team, bool activeOnly, int? before, int limit, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var jobs = db.Jobs.AsNoTracking().Where(j => j.TeamId == team.TeamId && (before == null || j.Number < before));
        if (activeOnly)
        {
            jobs = jobs.Where(j => j.Status != JobStatus.Succeeded && j.Status != JobStatus.Failed && j.Status != JobStatus.Cancelled);
        }

        var rows = await jobs.OrderByDescending(j => j.Number).Take(limit)
            .Select(j => new { j.Id, j.Number, j.Name, j.Status, j.StopReason, j.Message, j.ConnectionId, j.ProjectId, j.Tags, j.CreatedAt, j.StartedAt, j.EndedAt, j.AttemptCount, j.Order })
            .ToListAsync(ct);
        var costs = await CostsAsync(db, team, [.. rows.Select(j => j.Id)], ct);
        return
        [
            .. rows.Select(j => new JobListAnswer(
                j.Id.Value, j.Number, j.Name, j.Status, j.StopReason, j.Message?.To(team), j.ConnectionId.Value, j.ProjectId.Value, j.Tags,
                j.CreatedAt, j.StartedAt, j.EndedAt, j.AttemptCount, costs?.GetValueOrDefault(j.Id), OrderAnswer.Of(j.Order, team.May(Permission.SeeMoney)))),
        ];
    }

    public async Task<JobAnswer?> JobAsync(TeamContext team, int number, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct) is not { } job)
        {
            return null;
        }

        var attempts = (await db.Attempts.AsNoTracking().Where(a => a.TeamId == team.TeamId && a.JobId == job.Id).OrderBy(a => a.Number).ToListAsync(ct))
            .Select(a => new AttemptAnswer(a.Number, a.CreatedAt, a.StartedAt, a.EndedAt, a.StopReason, a.Message?.To(team), a.ExitCode, a.Step, a.TotalSteps, a.Loss, a.Phase, a.ResumedFrom)).ToList();
        var costs = await CostsAsync(db, team, [job.Id], ct);
        return new JobAnswer(
            job.Id.Value, job.Number, job.Name, job.Status, job.StopReason, job.Message?.To(team), job.ConnectionId.Value, job.ProjectId.Value, job.Tags,
            job.CreatedAt, job.StartedAt, job.EndedAt, costs?.GetValueOrDefault(job.Id), attempts, OrderAnswer.Of(job.Order, team.May(Permission.SeeMoney)),
            job.Status == JobStatus.AwaitingApproval ? ApprovalAnswer.Of(job.Ask, team.May(Permission.SeeMoney)) : null);
    }

    /// <summary>The job's id, and how many attempts it had; null when the team has no such job.</summary>
    public async Task<(JobId Id, int Attempts)?> FindAsync(TeamContext team, int number, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var found = await db.Jobs.AsNoTracking().Where(j => j.TeamId == team.TeamId && j.Number == number).Select(j => new { j.Id, j.AttemptCount }).SingleOrDefaultAsync(ct);
        return found is null ? null : (found.Id, found.AttemptCount);
    }

    /// <summary>Files that came home, by attempt and path.</summary>
    public async Task<IReadOnlyList<FileAnswer>> FilesAsync(TeamContext team, int number, JobId job, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var rows = await db.Artifacts.AsNoTracking().Where(f => f.TeamId == team.TeamId && f.JobId == job).OrderBy(f => f.AttemptNumber).ThenBy(f => f.Path).ToListAsync(ct);
        return
        [
            .. rows.Select(f => new FileAnswer(
                f.AttemptNumber, f.Path, f.Bytes, f.Sha256, f.ArrivedAt,
                $"/api/v1/jobs/{number}/files/{string.Join('/', f.Path.Split('/').Select(Uri.EscapeDataString))}?attempt={f.AttemptNumber}")),
        ];
    }

    public async Task<IReadOnlyList<MachineAnswer>> MachinesAsync(TeamContext team, bool all, int limit, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var rows = await (from instance in db.Instances.AsNoTracking()
                          join job in db.Jobs.AsNoTracking() on instance.JobId equals job.Id
                          where instance.TeamId == team.TeamId
                              && (all || (instance.Status != InstanceStatus.Intent && instance.Status != InstanceStatus.Rejected && instance.Status != InstanceStatus.Gone))
                          orderby instance.CreatedAt descending
                          select new { instance, job.Number }).Take(limit).ToListAsync(ct);
        return
        [
            .. rows.Select(r => new MachineAnswer(
                r.instance.Id.Value, r.Number, r.instance.AttemptNumber, r.instance.ConnectionId.Value, r.instance.Status, r.instance.ContractId, r.instance.Label,
                r.instance.GpuName, r.instance.GpuCount, r.instance.Location, team.May(Permission.SeeMoney) ? r.instance.BurnRate.MicrosPerHour : null, r.instance.CreatedAt, r.instance.BillingSince,
                r.instance.RunningSince, r.instance.DestroyAcceptedAt, r.instance.GoneAt, r.instance.EndMessage?.To(team) ?? r.instance.ObservedMessage)),
        ];
    }

    public async Task<LedgerAnswer> LedgerAsync(TeamContext team, int? jobNumber, DateTimeOffset? since, DateTimeOffset? until, long? after, int limit, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var matching = from entry in db.Ledger.AsNoTracking()
                       join job in db.Jobs.AsNoTracking() on entry.JobId equals job.Id
                       join attempt in db.Attempts.AsNoTracking() on entry.AttemptId equals attempt.Id
                       where entry.TeamId == team.TeamId && (jobNumber == null || job.Number == jobNumber)
                           && (since == null || entry.PeriodEnd > since) && (until == null || entry.PeriodStart < until)
                       select new { entry, Job = job.Number, Attempt = attempt.Number };
        var totals = await matching.GroupBy(e => e.entry.Market.Simulated).Select(g => new { Simulated = g.Key, Total = g.Sum(e => e.entry.Amount.Micros) }).ToListAsync(ct);
        var rows = await matching.Where(e => after == null || e.entry.Id > after).OrderBy(e => e.entry.Id).Take(limit).ToListAsync(ct);
        return new LedgerAnswer(
            totals.Where(t => !t.Simulated).Sum(t => t.Total),
            totals.Where(t => t.Simulated).Sum(t => t.Total),
            [
                .. rows.Select(r => new LedgerEntryAnswer(
                    r.entry.Id, r.Job, r.Attempt, r.entry.InstanceId.Value, r.entry.Market.Name, r.entry.Market.Simulated, r.entry.Kind, r.entry.GpuName, r.entry.PeriodStart,
                    r.entry.PeriodEnd, r.entry.Rate.MicrosPerHour, r.entry.Quantity, r.entry.Amount.Micros, r.entry.Estimated, r.entry.Reason, r.entry.PostedAt)),
            ]);
    }

    private static async Task<Dictionary<JobId, long>?> CostsAsync(AppDbContext db, TeamContext team, JobId[] jobs, CancellationToken ct) =>
        team.May(Permission.SeeMoney)
            ? await db.Ledger.AsNoTracking().Where(e => e.TeamId == team.TeamId && jobs.Contains(e.JobId))
                .GroupBy(e => e.JobId).Select(g => new { g.Key, Total = g.Sum(e => e.Amount.Micros) }).ToDictionaryAsync(g => g.Key, g => g.Total, ct)
            : null;
}
