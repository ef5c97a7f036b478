using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>
/// Every minute: what no step would say of itself. Jobs that are due and not moved, balances that end soon, contracts that
/// end before their job, numbers that are not as agreed or usual. Each is an inbox item that goes away with its cause.
/// </summary>
[AutomaticRetry(Attempts = 0)]
public sealed class FindTrouble(AppDatabase database, ChangeFeed changes, IOptions<LifecycleOptions> options, TimeProvider time)
{
    /// <summary>Due for so long, and nobody works on it.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(10);

    /// <summary>Being worked on for so long without a result. Uploads and fetches are given half an hour.</summary>
    private static readonly TimeSpan Hanging = TimeSpan.FromMinutes(45);

    /// <summary>Told so long before a machine has to save because its contract ends.</summary>
    private static readonly TimeSpan ContractWarns = TimeSpan.FromHours(2);

    public async Task RunAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var living = await db.Instances.AsNoTracking().Where(i => i.NextStepAt != null).ToListAsync(ct);
        await StuckAsync(db, living, now, ct);
        await BalancesAsync(db, living, now, ct);
        await ContractsAsync(db, living, now, ct);
        await FindAnomalies.OfMachinesAsync(db, living, now, ct);
        await FindAnomalies.OfSpendAsync(db, living, now, ct);

        var teams = db.ChangeTracker.Entries<InboxItem>().Where(e => e.State != EntityState.Unchanged).Select(e => e.Entity.TeamId).Distinct().ToList();
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        teams.ForEach(team => changes.Publish(team));
    }

    private static async Task StuckAsync(AppDbContext db, List<Instance> living, DateTimeOffset now, CancellationToken ct)
    {
        bool Stuck(DateTimeOffset? due, DateTimeOffset? leasedUntil) => now - due > (leasedUntil > now ? Hanging : Forgotten);

        var withMachine = living.Select(i => i.JobId).Distinct().ToList();
        var jobs = await db.Jobs.AsNoTracking().Where(j => j.NextStepAt != null || withMachine.Contains(j.Id)).ToListAsync(ct);
        var stuck = jobs.Where(j => Stuck(j.NextStepAt, j.LeaseUntil)).Select(j => (Job: j, Since: j.NextStepAt!.Value, Rate: HourlyRate.Zero))
            .Concat(from i in living
                    where Stuck(i.NextStepAt, i.LeaseUntil)
                    join j in jobs on i.JobId equals j.Id
                    select (Job: j, Since: i.NextStepAt!.Value, Rate: i.BurnRate))
            .GroupBy(s => s.Job.Id).Select(g => (g.First().Job, Since: g.Min(s => s.Since), Rate: g.Aggregate(HourlyRate.Zero, (sum, s) => sum + s.Rate))).ToList();
        foreach (var (job, since, rate) in stuck)
        {
            InboxWriter.Open(
                db, job.TeamId, InboxKinds.JobStuck, $"stuck/{job.Id}", $"{job.Name} #{job.Number} does not move",
                $"Its next step was due at {Clock(since)} UTC and has not ended." + (rate > HourlyRate.Zero ? " Its machine bills" + Said.Money($" {rate.Words()}") + " meanwhile." : Said.Money(" It costs $0.00 meanwhile.")),
                $"/jobs/{job.Number}?tab=events", "See job", now, rate);
        }

        await SettleAsync(db, InboxKinds.JobStuck, [.. stuck.Select(s => $"stuck/{s.Job.Id}")], now, ct);
    }

    private static async Task BalancesAsync(AppDbContext db, List<Instance> living, DateTimeOffset now, CancellationToken ct)
    {
        var connections = await db.Connections.AsNoTracking().Where(c => c.Status != ConnectionStatus.Removed && c.Credit != null).ToListAsync(ct);
        var real = connections.Where(c => !c.Market.Simulated).Select(c => c.TeamId).ToHashSet(); // play money worries nobody once there is real money
        var low = connections.Where(c => !c.Market.Simulated || !real.Contains(c.TeamId)).Select(c => (Connection: c, Rate: living.Where(i => i.ConnectionId == c.Id).Aggregate(c.ForeignRate, (sum, i) => sum + i.BurnRate)))
            .Select(c => (c.Connection, c.Rate, Runway: Runway.Of(c.Connection.Credit, c.Rate, c.Connection.CheckedAt, now))).Where(c => c.Runway.Warning).ToList();
        foreach (var (connection, rate, runway) in low)
        {
            var (name, left) = (connection.Market.Name, runway.Left!.Value);
            var text = runway.State == RunwayState.Ended
                ? $"{name} has no credit left; it stops every machine there, and a stopped disk goes on billing."
                : $"{name} has {connection.Credit!.Value.Words()}, enough until {Clock(now + left)} UTC at {rate.Words()}. At zero it stops every machine there.";
            InboxWriter.Open(
                db, connection.TeamId, InboxKinds.BalanceLow, $"balance/{connection.Id}", $"{connection.Name} has {Hours(left)} of credit left", $"{text} Add funds at the provider, or stop jobs.",
                "/connections", "See connection", now, rate, critical: runway.State is RunwayState.Critical or RunwayState.Ended);
        }

        await SettleAsync(db, InboxKinds.BalanceLow, [.. low.Select(c => $"balance/{c.Connection.Id}")], now, ct);
    }

    private async Task ContractsAsync(AppDbContext db, List<Instance> living, DateTimeOffset now, CancellationToken ct)
    {
        var drain = options.Value.Drain;
        var ending = living.Where(i => i.Status is InstanceStatus.Booting or InstanceStatus.Ready or InstanceStatus.Running && i.ContractEnd - now < drain + ContractWarns).ToList();
        foreach (var i in ending)
        {
            var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == i.JobId, ct);
            InboxWriter.Open(
                db, job.TeamId, InboxKinds.ContractEnds, $"contract/{i.Id}", $"The contract of {job.Name} #{job.Number} ends at {Clock(i.ContractEnd!.Value)} UTC",
                $"Machine {i.ContractId} can be kept no longer. At {Clock(i.ContractEnd.Value - drain)} UTC the job saves and its files come home; what is not done by then is left.",
                $"/jobs/{job.Number}", "Open job", now);
        }

        await SettleAsync(db, InboxKinds.ContractEnds, [.. ending.Select(i => $"contract/{i.Id}")], now, ct);
    }

    /// <summary>Whose cause is gone.</summary>
    internal static async Task SettleAsync(AppDbContext db, string kind, HashSet<string> open, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var item in await db.Inbox.Where(i => i.Kind == kind && i.ResolvedAt == null).ToListAsync(ct))
        {
            if (!open.Contains(item.Key))
            {
                item.ResolvedAt = now;
            }
        }
    }

    private static string Hours(TimeSpan left) => left.TotalHours >= 1 ? $"{(int)left.TotalHours} h" : $"{(int)left.TotalMinutes} min";

    private static string Clock(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm", CultureInfo.InvariantCulture);
}
