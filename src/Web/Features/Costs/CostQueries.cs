using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Components;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <summary>What spending is split by.</summary>
public enum CostSplit
{
    Project,
    Person,
    Job,
}

/// <param name="Month">Any day of the month that is shown, in <paramref name="Zone"/>.</param>
/// <param name="Zone">Whose midnight ends a day.</param>
public sealed record CostsFilter(DateOnly Month, CostSplit By, ReaderZone Zone)
{
    public DateOnly First => new(Month.Year, Month.Month, 1);

    public int Days => DateTime.DaysInMonth(Month.Year, Month.Month);

    internal DateTimeOffset From => Midnight(First);

    internal DateTimeOffset Until => Midnight(First.AddMonths(1));

    private DateTimeOffset Midnight(DateOnly day)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        return new DateTimeOffset(local, Zone.Zone.GetUtcOffset(local)).ToUniversalTime();
    }
}

/// <param name="Color">Series token; the seventh and later share the last.</param>
/// <param name="ByDay">One amount for each day of the month.</param>
public sealed record CostRow(string Name, int? JobNumber, string Color, Money Spent, int Jobs, IReadOnlyList<Money> ByDay);

/// <summary>One month of the ledger. The rows add up to <see cref="Spent"/>, and so do the kinds and the days.</summary>
/// <param name="Simulated">The team has no real connection; none of this is money.</param>
/// <param name="NothingHome">Spent on jobs that ended without success.</param>
/// <param name="FinishedJobs">Jobs with spend in the month that succeeded.</param>
/// <param name="OnFinished">What those cost.</param>
/// <param name="FirstEntry">When the ledger begins; null: it is empty.</param>
public sealed record CostsView(
    Money Spent, bool Simulated, Money Gpu, Money Disk, Money Traffic, Money Adjustments, Money NothingHome, int FinishedJobs, Money OnFinished, int Jobs,
    IReadOnlyList<CostRow> Rows, DateTimeOffset? FirstEntry);

public sealed record LedgerRow(long Id, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd, int JobNumber, string JobName, string GpuName, Market Market, ChargeKind Kind, decimal Quantity, HourlyRate Rate, Money Amount, bool Estimated, long? CorrectsId, string? Reason);

/// <param name="Sum">Over all pages; what the rows of one market class add up to.</param>
public sealed record LedgerView(IReadOnlyList<LedgerRow> Rows, int Total, Money Sum, bool Simulated)
{
    public int Pages => Math.Max(1, (Total + CostQueries.LedgerPage - 1) / CostQueries.LedgerPage);
}

/// <summary>What was spent, from the ledger only.</summary>
public sealed class CostQueries(AppDatabase database)
{
    public const int LedgerPage = 100;

    private const int Series = 6;
    private const int MostRows = 50;

    public async Task<CostsView> ExploreAsync(TeamContext team, CostsFilter filter, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await OnlySimulatedAsync(db, ct);
        var (from, until) = (filter.From, filter.Until);

        // Grouped to the hour by the database, to the reader's day here: a zone's midnight is no arithmetic for SQL.
        var hours = await db.Ledger.Where(e => e.Market.Simulated == simulated && e.PeriodStart >= from && e.PeriodStart < until)
            .Select(e => new { e.JobId, e.ProjectId, e.PersonId, e.Kind, Hour = (long)(object)e.PeriodStart / 3_600_000, e.Amount.Micros })
            .GroupBy(e => new { e.JobId, e.ProjectId, e.PersonId, e.Kind, e.Hour })
            .Select(g => new { g.Key, Micros = g.Sum(e => e.Micros) }).ToListAsync(ct);
        var jobIds = hours.Select(h => h.Key.JobId).Distinct().ToList();
        var jobs = await db.Jobs.AsNoTracking().Where(j => jobIds.Contains(j.Id)).Select(j => new { j.Id, j.Number, j.Name, j.Status }).ToDictionaryAsync(j => j.Id, ct);
        var projects = await db.Projects.AsNoTracking().ToDictionaryAsync(p => p.Id, p => p.Name, ct);
        var people = await db.Users.Where(u => hours.Select(h => h.Key.PersonId.Value).Distinct().Contains(u.Id)).ToDictionaryAsync(u => u.Id, u => u.DisplayName, ct);
        var first = await db.Ledger.Where(e => e.Market.Simulated == simulated).OrderBy(e => e.PeriodStart).Select(e => (DateTimeOffset?)e.PeriodStart).FirstOrDefaultAsync(ct);

        string NameOf(JobId job, ProjectId project, UserId person) => filter.By switch
        {
            CostSplit.Project => projects.GetValueOrDefault(project, "no project"),
            CostSplit.Person => people.GetValueOrDefault(person.Value, "a former member"),
            CostSplit.Job => jobs[job].Name,
        };

        var groups = hours.GroupBy(h => (Name: NameOf(h.Key.JobId, h.Key.ProjectId, h.Key.PersonId), Job: filter.By == CostSplit.Job ? jobs[h.Key.JobId].Number : (int?)null))
            .Select(g => (g.Key.Name, g.Key.Job, Spent: new Money(g.Sum(h => h.Micros)), Jobs: g.Select(h => h.Key.JobId).Distinct().Count(), Hours: g.Select(h => (h.Key.Hour, h.Micros)).ToList()))
            .OrderByDescending(g => g.Spent).ToList();
        if (groups.Count > MostRows)
        {
            var rest = groups[(MostRows - 1)..];
            groups = [.. groups[..(MostRows - 1)], ($"{rest.Count} more", null, new Money(rest.Sum(r => r.Spent.Micros)), rest.Sum(r => r.Jobs), [.. rest.SelectMany(r => r.Hours)])];
        }

        Money Of(params ReadOnlySpan<ChargeKind> kinds)
        {
            var sum = 0L;
            foreach (var hour in hours)
            {
                sum += kinds.Contains(hour.Key.Kind) ? hour.Micros : 0;
            }

            return new Money(sum);
        }

        var finished = hours.Where(h => jobs[h.Key.JobId].Status == Domain.Jobs.JobStatus.Succeeded).ToList();
        var nothing = hours.Where(h => jobs[h.Key.JobId].Status is Domain.Jobs.JobStatus.Failed or Domain.Jobs.JobStatus.Cancelled).Sum(h => h.Micros);
        return new CostsView(
            new Money(hours.Sum(h => h.Micros)), simulated && first is not null, Of(ChargeKind.Gpu), Of(ChargeKind.Disk), Of(ChargeKind.Download, ChargeKind.Upload), Of(ChargeKind.Adjustment),
            new Money(nothing), finished.Select(h => h.Key.JobId).Distinct().Count(), new Money(finished.Sum(h => h.Micros)), jobIds.Count,
            [.. groups.Select((g, i) => new CostRow(g.Name, g.Job, i < Series ? $"c{i + 1}" : "c7", g.Spent, g.Jobs, ByDay(g.Hours, filter)))], first);
    }

    /// <summary>Entries, newest first, a page at a time.</summary>
    public async Task<LedgerView> LedgerAsync(TeamContext team, ChargeKind? kind, int? jobNumber, int page, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await OnlySimulatedAsync(db, ct);
        var entries = db.Ledger.AsNoTracking().Where(e => e.Market.Simulated == simulated
            && (kind == null || e.Kind == kind)
            && (jobNumber == null || db.Jobs.Any(j => j.Id == e.JobId && j.Number == jobNumber)));
        var total = await entries.CountAsync(ct);
        var sum = await entries.SumAsync(e => e.Amount.Micros, ct);
        var at = Math.Clamp(page, 1, Math.Max(1, (total + LedgerPage - 1) / LedgerPage));
        var rows = await entries.OrderByDescending(e => e.PeriodStart).ThenByDescending(e => e.Id).Skip((at - 1) * LedgerPage).Take(LedgerPage)
            .Join(db.Jobs, e => e.JobId, j => j.Id, (e, j) => new LedgerRow(e.Id, e.PeriodStart, e.PeriodEnd, j.Number, j.Name, e.GpuName, e.Market, e.Kind, e.Quantity, e.Rate, e.Amount, e.Estimated, e.CorrectsId, e.Reason))
            .ToListAsync(ct);
        return new LedgerView(rows, total, new Money(sum), simulated && total > 0);
    }

    private static async Task<bool> OnlySimulatedAsync(AppDbContext db, CancellationToken ct) =>
        !await db.Connections.AnyAsync(c => c.Status != ConnectionStatus.Removed && !c.Market.Simulated, ct);

    private static Money[] ByDay(List<(long Hour, long Micros)> hours, CostsFilter filter)
    {
        var days = new Money[filter.Days];
        foreach (var (hour, micros) in hours)
        {
            var day = filter.Zone.Day(DateTimeOffset.FromUnixTimeMilliseconds(hour * 3_600_000)).Day - 1;
            days[day] += new Money(micros);
        }

        return days;
    }
}
