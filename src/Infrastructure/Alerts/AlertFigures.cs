using Dashboard.Domain;
using Dashboard.Domain.Alerts;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Alerts;

/// <summary>The figures that rules watch, of one team: those of its real connections as soon as it has one, else of its simulated ones.</summary>
public static class AlertFigures
{
    private const decimal MostHours = 8_760;

    /// <summary>A balance older than this says nothing about now; it is asked for every minute.</summary>
    private static readonly TimeSpan OldBalance = TimeSpan.FromMinutes(15);

    /// <param name="budget">Of <see cref="AlertMetric.BudgetForecast"/>.</param>
    /// <returns>Null: not known now.</returns>
    public static async Task<decimal?> ReadAsync(AppDbContext db, TeamId team, AlertMetric metric, BudgetId? budget, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var connections = await db.Connections.AsNoTracking().Where(c => c.TeamId == team && c.Status != ConnectionStatus.Removed).ToListAsync(ct);
        var simulated = connections.TrueForAll(c => c.Market.Simulated);
        connections.RemoveAll(c => c.Market.Simulated != simulated);
        return metric switch
        {
            AlertMetric.SpendToday => await SpendAsync(db, team, simulated, now, ct),
            AlertMetric.BurnRate => Sum(await MachinesAsync(db, team, connections, ct)).Usd,
            AlertMetric.BalanceHours => Hours(connections, await MachinesAsync(db, team, connections, ct), now),
            AlertMetric.IdleMachines => (await MachinesAsync(db, team, connections, ct)).Count(i => i.Status is InstanceStatus.Unknown or InstanceStatus.Ready or InstanceStatus.Interrupted or InstanceStatus.Parked or InstanceStatus.Draining or InstanceStatus.Destroying)
                + connections.Sum(c => c.ForeignCount),
            AlertMetric.JobsWaiting => await db.Jobs.CountAsync(
                j => j.TeamId == team && (j.Status == JobStatus.Submitted || j.Status == JobStatus.AwaitingApproval || j.Status == JobStatus.WaitingForPrice || j.Status == JobStatus.Provisioning), ct),
            AlertMetric.MonthForecast => (await BudgetForecast.OfMonthAsync(db, team, simulated, now, ct))?.Expected.Usd,
            AlertMetric.BudgetForecast => await ShareAsync(db, team, budget, now, ct),
        };
    }

    /// <summary>Budgets that a rule can be about: those in force that have an end to be foretold, with the words for whose they are.</summary>
    public static async Task<IReadOnlyList<(BudgetId Id, string Whose)>> BudgetsAsync(AppDbContext db, TeamId team, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(db);
        var budgets = await db.Budgets.AsNoTracking().Where(b => b.TeamId == team && b.EndedAt == null && b.Scope != BudgetScope.Job && b.Period != BudgetPeriod.Total).ToListAsync(ct);
        return [.. budgets.OrderBy(b => b.Scope).Select(b => (b.Id, BudgetNotices.OfPeriod(db, b)))];
    }

    /// <summary>Whose budget a rule is about, in words; null: about none, or one that has ended.</summary>
    internal static async Task<string?> WhoseAsync(AppDbContext db, AlertRule rule, CancellationToken ct) =>
        rule.BudgetId is { } id && await db.Budgets.AsNoTracking().SingleOrDefaultAsync(b => b.TeamId == rule.TeamId && b.Id == id && b.EndedAt == null, ct) is { } budget ? BudgetNotices.OfPeriod(db, budget) : null;

    // A budget that has ended foretells nothing, nor does one that is too young.
    private static async Task<decimal?> ShareAsync(AppDbContext db, TeamId team, BudgetId? id, DateTimeOffset now, CancellationToken ct) =>
        await db.Budgets.AsNoTracking().SingleOrDefaultAsync(b => b.TeamId == team && b.Id == id && b.EndedAt == null && b.Period != BudgetPeriod.Total, ct) is { } budget
            && await BudgetForecast.OfBudgetAsync(db, budget, now, ct) is { } forecast
            ? 100m * forecast.Expected.Micros / budget.Limit.Micros
            : null;

    private static async Task<decimal> SpendAsync(AppDbContext db, TeamId team, bool simulated, DateTimeOffset now, CancellationToken ct)
    {
        var midnight = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).ToUnixTimeMilliseconds() / SpendStep.Length;
        return new Money(await db.SpendSteps.Where(s => s.TeamId == team && s.Simulated == simulated && s.Step >= midnight).SumAsync(s => s.Micros, ct)).Usd;
    }

    private static async Task<List<Instance>> MachinesAsync(AppDbContext db, TeamId team, List<Connection> connections, CancellationToken ct)
    {
        var ids = connections.ConvertAll(c => c.Id);
        return await db.Instances.AsNoTracking()
            .Where(i => i.TeamId == team && ids.Contains(i.ConnectionId) && i.Status != InstanceStatus.Intent && i.Status != InstanceStatus.Rejected && i.Status != InstanceStatus.Gone).ToListAsync(ct);
    }

    // The account that ends first. One that nothing burns lasts; one whose balance is not known makes the figure unknown.
    private static decimal? Hours(List<Connection> connections, List<Instance> machines, DateTimeOffset now)
    {
        var least = connections.Count == 0 ? (decimal?)null : MostHours;
        foreach (var connection in connections)
        {
            var rate = Sum(machines.Where(i => i.ConnectionId == connection.Id)) + connection.ForeignRate;
            if (rate == HourlyRate.Zero)
            {
                continue;
            }

            if (connection.Credit is not { } credit || now - connection.CheckedAt > OldBalance)
            {
                return null;
            }

            least = Math.Min(least!.Value, Math.Max(0, credit.Usd / rate.Usd));
        }

        return least;
    }

    private static HourlyRate Sum(IEnumerable<Instance> machines) => machines.Aggregate(HourlyRate.Zero, (sum, i) => sum + i.BurnRate);
}
