using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <summary>Why money brought nothing.</summary>
public enum WasteKind
{
    /// <summary>The machine was paid for and its program never started.</summary>
    NeverCameUp,

    /// <summary>The attempt ended in a failure and left no file.</summary>
    FailedAttempt,

    /// <summary>Disk was billed while no GPU ran: booting, stopped, or not gone yet.</summary>
    DiskAlone,
}

/// <param name="Attempts">How many are behind it.</param>
public sealed record WasteSum(WasteKind Kind, Money Spent, int Attempts);

/// <summary>One attempt behind it.</summary>
public sealed record WastedAttempt(WasteKind Kind, int JobNumber, string JobName, int Attempt, StopReason? Reason, string? GpuName, Money Spent);

/// <param name="Spent">All that was spent in the period on what the result is counted of.</param>
/// <param name="Count">Adapters, or training steps.</param>
public sealed record ResultCost(Money Spent, long Count)
{
    /// <summary>The price of so many results; null: there was none.</summary>
    public Money? Per(long results) => Count == 0 ? null : new Money((long)decimal.Round((decimal)Spent.Micros * results / Count));
}

/// <param name="Adapters">All money of jobs that brought an adapter home, failed attempts of theirs included, by adapters.</param>
/// <param name="Steps">Money of attempts that trained, by the steps they made.</param>
/// <param name="Tokens">Money of attempts that counted their tokens, by the tokens they trained on.</param>
/// <param name="Wasted">Sums by kind; no amount is in two.</param>
/// <param name="Attempts">The dearest of them.</param>
public sealed record ResultsView(ResultCost Adapters, ResultCost Steps, ResultCost Tokens, Money Spent, IReadOnlyList<WasteSum> Wasted, IReadOnlyList<WastedAttempt> Attempts)
{
    public Money WastedInAll => Wasted.Aggregate(Money.Zero, (sum, w) => sum + w.Spent);
}

/// <summary>What money brought, and what brought nothing, with the attempts behind it.</summary>
public sealed class ResultQueries(AppDatabase database)
{
    /// <summary>Attempts named at most.</summary>
    public const int Most = 8;

    public async Task<ResultsView> ReadAsync(TeamContext team, CostPeriod period, CostScope scope, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        var (from, until) = (CostQueries.Step(period.Start), CostQueries.Step(period.End));
        var spent = await scope.Of(db.SpendSteps.Where(s => s.TeamId == team.TeamId && s.Simulated == simulated && s.Step >= from && s.Step < until), db)
            .GroupBy(s => new { s.InstanceId, s.JobId })
            .Select(g => new
            {
                g.Key.InstanceId, g.Key.JobId, Micros = g.Sum(s => s.Micros), Disk = g.Sum(s => s.Kind == ChargeKind.Disk ? s.Micros : 0),
                DiskTime = g.Sum(s => s.Kind == ChargeKind.Disk ? s.Milliseconds : 0), GpuTime = g.Sum(s => s.Kind == ChargeKind.Gpu ? s.Milliseconds : 0),
            }).ToListAsync(ct);
        var machineIds = spent.Select(s => s.InstanceId).ToList();
        var machines = await (from i in db.Instances.AsNoTracking()
                              join a in db.Attempts.AsNoTracking() on i.AttemptId equals a.Id
                              join j in db.Jobs.AsNoTracking() on i.JobId equals j.Id
                              where machineIds.Contains(i.Id)
                              select new
                              {
                                  i.Id, i.GpuName, a.Number, a.StartedAt, a.EndedAt, a.StopReason, a.Step, a.ResumedFrom, a.Tokens, JobNumber = j.Number, j.Name,
                                  Files = db.Artifacts.Any(f => f.JobId == j.Id && f.AttemptNumber == a.Number),
                              }).ToDictionaryAsync(m => m.Id, ct);
        var jobIds = spent.Select(s => s.JobId).Distinct().ToList();
        var adapters = await db.Artifacts.Where(f => jobIds.Contains(f.JobId) && f.Path.EndsWith("adapter_model.safetensors")).Select(f => f.JobId).Distinct().ToListAsync(ct);

        var wasted = new List<WastedAttempt>();
        var (trained, steps, counted, tokens) = (0L, 0L, 0L, 0L);
        foreach (var sum in spent)
        {
            if (machines.GetValueOrDefault(sum.InstanceId) is not { } machine)
            {
                continue;
            }

            void Waste(WasteKind kind, long micros) => wasted.Add(new WastedAttempt(kind, machine.JobNumber, machine.Name, machine.Number, machine.StopReason, machine.GpuName, new Money(micros)));
            if (machine.StartedAt is null && machine.EndedAt is not null)
            {
                Waste(WasteKind.NeverCameUp, sum.Micros);
            }
            else if (machine is { EndedAt: not null, Files: false, StopReason: not null and not StopReason.Finished })
            {
                Waste(WasteKind.FailedAttempt, sum.Micros);
            }
            else if (machine.EndedAt is not null && sum.DiskTime > sum.GpuTime && sum.Disk > 0)
            {
                Waste(WasteKind.DiskAlone, (long)((decimal)sum.Disk * (sum.DiskTime - sum.GpuTime) / sum.DiskTime));
            }

            if (machine.Step is { } step && step - (machine.ResumedFrom ?? 0) is > 0 and var made)
            {
                (trained, steps) = (trained + sum.Micros, steps + made);
                if (machine.Tokens is > 0 and var all)
                {
                    // Programs count on from the checkpoint's own count: what was there before is another attempt's.
                    (counted, tokens) = (counted + sum.Micros, tokens + (long)((decimal)all * made / step));
                }
            }
        }

        var home = adapters.ToHashSet();
        return new ResultsView(
            new ResultCost(new Money(spent.Where(s => home.Contains(s.JobId)).Sum(s => s.Micros)), home.Count), new ResultCost(new Money(trained), steps), new ResultCost(new Money(counted), tokens), new Money(spent.Sum(s => s.Micros)),
            [.. Enum.GetValues<WasteKind>().Select(kind => wasted.Where(w => w.Kind == kind).ToList()).Where(w => w.Count > 0).Select(w => new WasteSum(w[0].Kind, w.Aggregate(Money.Zero, (sum, a) => sum + a.Spent), w.Count))],
            [.. wasted.OrderByDescending(w => w.Spent).ThenByDescending(w => w.JobNumber).Take(Most)]);
    }
}
