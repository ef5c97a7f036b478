using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Budgets;
using Dashboard.Web.Features.Machines;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>The rows the job page needs. A number of another team and one that never was answer alike: null.</summary>
public sealed class JobQueries(AppDatabase database, TimeProvider time)
{
    public async Task<JobView?> FindAsync(TeamContext team, int number, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var job = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct);
        if (job is null)
        {
            return null;
        }

        var connection = await db.Connections.AsNoTracking().Where(c => c.TeamId == team.TeamId && c.Id == job.ConnectionId).Select(c => c.Market).SingleAsync(ct);
        var machines = await MachinesAsync(db, job.Id, ct);
        var person = job.CreatedBy.Value;
        return new JobView
        {
            Id = job.Id,
            Number = job.Number,
            Name = job.Name,
            ProjectId = job.ProjectId,
            Project = await db.Projects.Where(p => p.Id == job.ProjectId).Select(p => p.Name).SingleAsync(ct),
            Tags = job.Tags,
            Status = job.Status,
            StopReason = job.StopReason,
            Message = job.Message?.To(team),
            Cancel = job.Cancel,
            ParkUntil = job.ParkUntil,
            StartedBy = await db.Users.Where(u => u.Id == person).Select(u => u.DisplayName).SingleOrDefaultAsync(ct) ?? "a former member",
            CreatedAt = job.CreatedAt,
            StartedAt = job.StartedAt,
            EndedAt = job.EndedAt,
            Spec = job.Spec,
            Needs = job.Needs,
            Limits = job.Limits,
            Order = job.Order,
            Approval = job is { Status: JobStatus.AwaitingApproval, Ask: { } ask }
                ? new ApprovalView(ask, job.CreatedBy == team.UserId, team.MayDecide(job.CreatedBy), await RoleLimitBook.DecidersAsync(db, team.TeamId, job.CreatedBy, ct), await RemindApprovers.LastAsync(db, job, ct))
                : null,
            Estimate = job.Estimate,
            ConnectionId = job.ConnectionId,
            MarketName = connection.Name,
            MarketAddress = connection.BaseUrl,
            Simulated = connection.Simulated,
            Attempts = await db.Attempts.AsNoTracking().Where(a => a.JobId == job.Id).OrderBy(a => a.Number).ToListAsync(ct),
            Machines = machines,
            Meter = team.May(Permission.SeeMoney) ? await MeterAsync(db, job.Id, machines, ct) : null,
            FileCount = await db.Artifacts.CountAsync(a => a.JobId == job.Id, ct),
            EventCount = await db.JobEvents.CountAsync(e => e.JobId == job.Id, ct),
            CheckpointAtHome = await CheckpointAsync(db, job.Id, ct),
            AsOf = time.GetUtcNow(),
            Anomalies = [.. (await MachineAnomalies.OpenAsync(db, [.. machines.Select(m => m.Id)], ct)).SelectMany(m => m).Select(a => a.Detail.To(team))],
        };
    }

    /// <summary>Newest first, at most <paramref name="most"/>.</summary>
    public async Task<IReadOnlyList<EventView>> EventsAsync(TeamContext team, JobId id, int most, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var events = await db.JobEvents.AsNoTracking()
            .Where(e => e.TeamId == team.TeamId && e.JobId == id)
            .OrderByDescending(e => e.At).ThenByDescending(e => e.Id).Take(most)
            .Select(e => new { e.At, e.Kind, e.Text, e.AttemptNumber, e.PersonId }).ToListAsync(ct);
        var people = events.Where(e => e.PersonId != null).Select(e => e.PersonId!.Value.Value).Distinct().ToList();
        var names = await db.Users.Where(u => people.Contains(u.Id)).ToDictionaryAsync(u => u.Id, u => u.DisplayName, ct);
        return [.. events.Select(e => new EventView(e.At, e.Kind, e.Text.To(team), e.AttemptNumber, e.PersonId is { } who ? names.GetValueOrDefault(who.Value, "a former member") : null))];
    }

    /// <summary>Files at home: results of the latest attempt first, the adapter's before others, then checkpoints, the newest first.</summary>
    public async Task<IReadOnlyList<FileView>> FilesAsync(TeamContext team, JobId id, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var files = await db.Artifacts.AsNoTracking()
            .Where(a => a.TeamId == team.TeamId && a.JobId == id)
            .Select(a => new FileView(a.AttemptNumber, a.Path, a.Bytes, a.Sha256, a.Verified, a.Step, a.ArrivedAt)).ToListAsync(ct);
        return [.. files.OrderBy(f => f.Step is not null).ThenByDescending(f => f.Step).ThenByDescending(f => f.Attempt).ThenByDescending(f => f.Path.StartsWith("adapter/", StringComparison.Ordinal)).ThenBy(f => f.Path, StringComparer.Ordinal)];
    }

    private static Task<int?> CheckpointAsync(AppDbContext db, JobId id, CancellationToken ct) =>
        db.Artifacts.Where(a => a.JobId == id && a.Kind == ArtifactKind.Checkpoint).MaxAsync(a => a.Step, ct);

    private static async Task<List<MachineView>> MachinesAsync(AppDbContext db, JobId id, CancellationToken ct) =>
        await db.Instances.AsNoTracking().Where(i => i.JobId == id).OrderBy(i => i.CreatedAt).Select(i => new MachineView
        {
            Id = i.Id,
            AttemptNumber = i.AttemptNumber,
            Status = i.Status,
            GpuName = i.GpuName,
            GpuCount = i.GpuCount,
            VramMb = i.VramMb,
            Location = i.Location,
            Rental = i.Rental,
            MachineId = i.MachineId,
            ContractId = i.ContractId,
            DiskGb = i.DiskGb,
            GpuRate = i.GpuRate,
            DiskRate = i.DiskRate,
            HostKeys = i.HostKeys,
            HostKeyCrossChecked = i.HostKeyCrossChecked,
            CreatedAt = i.CreatedAt,
            BillingSince = i.BillingSince,
            RunningSince = i.RunningSince,
            SeenRunningAt = i.SeenRunningAt,
            DestroyAcceptedAt = i.DestroyAcceptedAt,
            AbsentSince = i.AbsentSince,
            GoneAt = i.GoneAt,
            DestroyAsks = i.DestroyAsks,
            Observed = i.Observed,
            ObservedMessage = i.ObservedMessage,
            ObservedAt = i.ObservedAt,
            ContractEnd = i.ContractEnd,
            EndReason = i.EndReason,
            InterruptedAt = i.InterruptedAt,
            KeptUntil = i.KeptUntil,
            WaitedFor = i.WaitedFor,
            GpuPosted = i.GpuPostedOfRun,
            DiskPosted = i.DiskPosted,
        }).ToListAsync(ct);

    private static async Task<JobMeter> MeterAsync(AppDbContext db, JobId id, List<MachineView> machines, CancellationToken ct)
    {
        var posted = await db.Ledger.AsNoTracking().Where(e => e.JobId == id)
            .GroupBy(e => new { e.InstanceId, e.Kind })
            .Select(g => new { g.Key.InstanceId, g.Key.Kind, Micros = g.Sum(e => e.Amount.Micros), Quantity = g.Sum(e => e.Quantity) })
            .ToListAsync(ct);
        var attempts = machines.ToDictionary(m => m.Id, m => m.AttemptNumber);
        return new JobMeter(
            [.. posted.Select(p => new PostedCharge(attempts.GetValueOrDefault(p.InstanceId), p.Kind, new Money(p.Micros), p.Quantity))],
            [.. machines.SelectMany(m => m.Running())]);
    }
}
