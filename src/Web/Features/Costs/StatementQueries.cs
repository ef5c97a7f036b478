using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Components;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <summary>A month with entries.</summary>
public sealed record StatementMonth(DateOnly Month, Money Sum, int Entries);

/// <param name="Simulated">Nobody pays any of it.</param>
public sealed record StatementMonths(IReadOnlyList<StatementMonth> Rows, bool Simulated);

/// <summary>The charges of one kind for one machine at one rate.</summary>
/// <param name="From">Start of the first entry; UTC.</param>
/// <param name="Until">End of the last entry.</param>
/// <param name="Quantity">Seconds or bytes.</param>
/// <param name="Entries">How many entries of the ledger it sums.</param>
public sealed record StatementLine(
    int JobNumber, string JobName, string Project, string Person, string Gpu, Provider Provider, string? ContractId, ChargeKind Kind, HourlyRate Rate, bool Estimated,
    DateTimeOffset From, DateTimeOffset Until, decimal Quantity, Money Amount, int Entries);

/// <summary>A connection's part of a statement beside its provider's own figure.</summary>
/// <param name="Ours">All of it in this statement.</param>
/// <param name="Theirs">The provider's figure for the month; null: it has reported nothing.</param>
/// <param name="Unreported">Metered, and not on the provider's bill yet.</param>
/// <param name="Earlier">Corrections of months that were final.</param>
public sealed record StatementBill(string Name, Money Ours, Money? Theirs, Money Unreported, Money Earlier)
{
    /// <summary>The provider's figure less what this statement has of it.</summary>
    public Money? Difference => Theirs is { } theirs ? theirs - (Ours - Unreported - Earlier) : null;
}

public sealed record StatementSum(string Name, Money Amount);

/// <summary>A month of a team's ledger as a document: its lines add up to <see cref="Total"/>, and so does each list of sums.</summary>
/// <param name="Open">The month is not over; more entries will come.</param>
/// <param name="FinalAt">From then on it never changes.</param>
/// <param name="Confirmed">The part that the provider has reported, and the ledger holds at its figure.</param>
/// <param name="Bills">Beside the provider's own figures.</param>
public sealed record Statement(
    string Team, CostPeriod Period, DateTimeOffset WrittenAt, bool Open, DateTimeOffset FinalAt, bool Simulated, IReadOnlyList<StatementLine> Lines, Money Total, Money Estimated, Money Confirmed, int Entries, IReadOnlyList<StatementBill> Bills,
    IReadOnlyList<StatementSum> ByProject, IReadOnlyList<StatementSum> ByPerson, IReadOnlyList<StatementSum> ByKind, IReadOnlyList<StatementSum> ByProvider);

/// <summary>Months of the ledger for a bookkeeper. Months end at midnight UTC, so that everybody reads the same sums.</summary>
public sealed class StatementQueries(AppDatabase database, TimeProvider time)
{
    public async Task<StatementMonths> MonthsAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        const long day = 86_400_000;
        var days = await db.Ledger.Where(e => e.TeamId == team.TeamId && e.Market.Simulated == simulated)
            .Select(e => new { Day = (long)(object)e.PeriodStart / day, e.Amount.Micros })
            .GroupBy(e => e.Day).Select(g => new { g.Key, Micros = g.Sum(e => e.Micros), Entries = g.Count() }).ToListAsync(ct);
        return new StatementMonths(
            [.. days.GroupBy(d => CostPeriod.Month(ReaderZone.Utc.Day(DateTimeOffset.FromUnixTimeMilliseconds(d.Key * day)), ReaderZone.Utc).From)
                .Select(g => new StatementMonth(g.Key, new Money(g.Sum(d => d.Micros)), g.Sum(d => d.Entries))).OrderByDescending(m => m.Month)],
            simulated && days.Count > 0);
    }

    public async Task<Statement> ReadAsync(TeamContext team, DateOnly month, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        var (period, now) = (CostPeriod.Month(month, ReaderZone.Utc), time.GetUtcNow());
        var (start, end) = (period.Start, period.End);
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        var sums = await db.Ledger.Where(e => e.TeamId == team.TeamId && e.Market.Simulated == simulated && e.PeriodStart >= start && e.PeriodStart < end)
            .Select(e => new
            {
                e.JobId, e.ProjectId, e.PersonId, e.InstanceId, e.GpuName, e.Market.Provider, e.Kind, e.Rate.MicrosPerHour, e.Estimated, e.Amount.Micros,
                From = (long)(object)e.PeriodStart, Until = (long)(object)e.PeriodEnd,
                Bytes = e.Kind == ChargeKind.Download || e.Kind == ChargeKind.Upload ? (long)e.Quantity : 0L, // whole by nature; times are summed from their periods
            })
            .GroupBy(e => new { e.JobId, e.ProjectId, e.PersonId, e.InstanceId, e.GpuName, e.Provider, e.Kind, e.MicrosPerHour, e.Estimated })
            .Select(g => new
            {
                g.Key, Micros = g.Sum(e => e.Micros), From = g.Min(e => e.From), Until = g.Max(e => e.Until),
                Milliseconds = g.Sum(e => e.Until - e.From), Bytes = g.Sum(e => e.Bytes), Entries = g.Count(),
            }).ToListAsync(ct);

        var (jobIds, machineIds, personIds) = (sums.Select(s => s.Key.JobId).Distinct().ToList(), sums.Select(s => s.Key.InstanceId).Distinct().ToList(), sums.Select(s => s.Key.PersonId.Value).Distinct().ToList());
        var jobs = await db.Jobs.Where(j => jobIds.Contains(j.Id)).Select(j => new { j.Id, j.Number, j.Name }).ToDictionaryAsync(j => j.Id, ct);
        var contracts = await db.Instances.Where(i => machineIds.Contains(i.Id)).Select(i => new { i.Id, i.ContractId }).ToDictionaryAsync(i => i.Id, i => i.ContractId, ct);
        var projects = await db.Projects.ToDictionaryAsync(p => p.Id, p => p.Name, ct);
        var people = await db.Users.Where(u => personIds.Contains(u.Id)).ToDictionaryAsync(u => u.Id, u => u.DisplayName, ct);
        List<StatementLine> lines =
        [
            .. sums.Select(s => new StatementLine(
                jobs[s.Key.JobId].Number, jobs[s.Key.JobId].Name, projects.GetValueOrDefault(s.Key.ProjectId, "no project"), people.GetValueOrDefault(s.Key.PersonId.Value, "a former member"),
                s.Key.GpuName, s.Key.Provider, contracts.GetValueOrDefault(s.Key.InstanceId), s.Key.Kind, new HourlyRate(s.Key.MicrosPerHour), s.Key.Estimated,
                DateTimeOffset.FromUnixTimeMilliseconds(s.From), DateTimeOffset.FromUnixTimeMilliseconds(s.Until),
                s.Key.Kind is ChargeKind.Download or ChargeKind.Upload ? s.Bytes : s.Milliseconds / 1000m, new Money(s.Micros), s.Entries))
                .OrderBy(l => l.JobNumber).ThenBy(l => l.From).ThenBy(l => l.Kind),
        ];
        // An entry is confirmed once the provider has reported its machine, kind and month at least up to its end.
        var confirmed = await db.Ledger.Where(e => e.TeamId == team.TeamId && e.Market.Simulated == simulated && e.PeriodStart >= start && e.PeriodStart < end
                && (e.Kind == ChargeKind.Adjustment || db.BillLines.Any(l => l.InstanceId == e.InstanceId && l.Kind == e.Kind && l.Month == start && l.ConfirmedUntil >= e.PeriodEnd)))
            .SumAsync(e => e.Amount.Micros, ct);
        return new Statement(
            team.TeamName, period, now, now < end, BillQueries.MonthOf(month).FinalAt, simulated && lines.Count > 0, lines, Sum(lines), Sum(lines.Where(l => l.Estimated)), new Money(confirmed), lines.Sum(l => l.Entries),
            await BillsAsync(db, team.TeamId, month, start, end, ct),
            Sums(lines, l => l.Project), Sums(lines, l => l.Person), Sums(lines, l => CostWords.Of(l.Kind)), Sums(lines, l => CostWords.Of(l.Provider, simulated)));
    }

    private static async Task<IReadOnlyList<StatementBill>> BillsAsync(AppDbContext db, TeamId team, DateOnly month, DateTimeOffset start, DateTimeOffset end, CancellationToken ct)
    {
        var all = await db.Ledger.Where(e => e.TeamId == team && e.PeriodStart >= start && e.PeriodStart < end)
            .Select(e => new { e.ConnectionId, e.Amount.Micros, Earlier = e.CorrectsMonth != null && e.CorrectsMonth < start ? e.Amount.Micros : 0 })
            .GroupBy(e => e.ConnectionId).Select(g => new { g.Key, Micros = g.Sum(e => e.Micros), Earlier = g.Sum(e => e.Earlier) }).ToDictionaryAsync(g => g.Key, ct);
        return
        [
            .. (await BillQueries.AgreementAsync(db, team, month, ct)).Rows.Select(r => new StatementBill(
                r.Name, new Money(all.GetValueOrDefault(r.Connection)?.Micros ?? 0), r.IsReported ? r.Theirs : null, r.Estimated, new Money(all.GetValueOrDefault(r.Connection)?.Earlier ?? 0))),
        ];
    }

    private static Money Sum(IEnumerable<StatementLine> lines) => new(lines.Sum(l => l.Amount.Micros));

    private static IReadOnlyList<StatementSum> Sums(IEnumerable<StatementLine> lines, Func<StatementLine, string> name) =>
        [.. lines.GroupBy(name).Select(g => new StatementSum(g.Key, Sum(g))).OrderByDescending(s => s.Amount)];
}
