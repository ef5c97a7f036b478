using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <summary>How far one connection's month agrees with its provider's bill.</summary>
/// <param name="Ours">As metered, of what the provider has reported.</param>
/// <param name="Theirs">As charged.</param>
/// <param name="Estimated">Metered and not reported yet.</param>
/// <param name="Adjusted">Corrections that were posted for it.</param>
/// <param name="Open">Lines that differ and nobody has looked at.</param>
/// <param name="ReadAt">When the bill was last read in full; null: never.</param>
/// <param name="Failure">The provider's words when it could not be read since.</param>
/// <param name="ForeignAmount">Charged this month for machines that are not ours.</param>
public sealed record BillSum(
    ConnectionId Connection, string Name, Market Market, Money Ours, Money Theirs, Money Estimated, Money Adjusted, int Open, DateTimeOffset? ReadAt, string? Failure, int ForeignCount, Money ForeignAmount)
{
    public Money Difference => Theirs - Ours;

    /// <summary>Whether the provider has reported anything of it.</summary>
    public bool IsReported { get; init; }
}

/// <param name="Rows">Of the market class the team's money is in.</param>
/// <param name="Apart">Simulated ones, as soon as a real connection exists.</param>
/// <param name="First">The largest open line.</param>
public sealed record BillAgreement(DateOnly Month, IReadOnlyList<BillSum> Rows, IReadOnlyList<BillSum> Apart, int Open, BillRow? First)
{
    public Money Theirs => Rows.Aggregate(Money.Zero, (sum, r) => sum + r.Theirs);

    public Money Ours => Rows.Aggregate(Money.Zero, (sum, r) => sum + r.Ours);

    public Money Estimated => Rows.Aggregate(Money.Zero, (sum, r) => sum + r.Estimated);

    public bool IsReported => Rows.Any(r => r.IsReported);
}

/// <summary>One machine's charges of one kind in one month, ours and theirs.</summary>
public sealed record BillRow(
    long Id, DateTimeOffset Month, Market Market, string? ContractId, string GpuName, int JobNumber, string JobName, ChargeKind Kind, Money Ours, Money Charged, bool Reported, Money Adjusted, BillState State,
    DifferenceCause Cause, HourlyRate OurRate, HourlyRate TheirRate, DateTimeOffset? OurFrom, DateTimeOffset? OurUntil, DateTimeOffset? TheirFrom, DateTimeOffset? TheirUntil, DateTimeOffset CheckedAt, string? DecidedBy, DateTimeOffset? DecidedAt)
{
    public string Provider => Market.Name;

    /// <summary>Null: not reported.</summary>
    public Money? Theirs => Reported ? Charged : null;

    public Money? Difference => Theirs is { } theirs ? theirs - Ours : null;
}

/// <param name="Amount">Charged so far in the month.</param>
public sealed record ForgottenRow(Market Market, string ContractId, string Label, Money Amount, DateTimeOffset From, DateTimeOffset Until);

/// <param name="Month">First day of the month that is shown in full.</param>
/// <param name="OpenOnly">Only what needs somebody, of every month.</param>
/// <param name="Page">From 1.</param>
public sealed record BillQuestion(DateOnly Month, bool OpenOnly, Provider? Provider, int Page = 1);

/// <param name="Total">Lines that match, on all pages.</param>
public sealed record BillView(BillAgreement Agreement, IReadOnlyList<BillRow> Rows, int Total, IReadOnlyList<ForgottenRow> Forgotten)
{
    public int Pages => Math.Max(1, (Total + BillQueries.PageSize - 1) / BillQueries.PageSize);
}

/// <summary>The ledger beside the provider's bill.</summary>
public sealed class BillQueries(AppDatabase database)
{
    public const int PageSize = 100;

    public async Task<BillView> ReadAsync(TeamContext team, BillQuestion question, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var month = MonthOf(question.Month);
        var lines = db.BillLines.AsNoTracking().Where(l => l.TeamId == team.TeamId);
        if (question.Provider is { } provider)
        {
            lines = lines.Where(l => l.Market.Provider == provider);
        }

        lines = question.OpenOnly ? lines.Where(l => l.State == BillState.Open || l.State == BillState.Claimed) : lines.Where(l => l.Month == month.Start);
        var total = await lines.CountAsync(ct);
        var skipped = (Math.Clamp(question.Page, 1, Math.Max(1, (total + PageSize - 1) / PageSize)) - 1) * PageSize;
        var rows = await Rows(db, lines.OrderBy(l => l.State != BillState.Open).ThenByDescending(l => l.Reported ? Math.Abs(l.Theirs.Micros - l.Ours.Micros) : l.Ours.Micros).ThenByDescending(l => l.Id)
            .Skip(skipped).Take(PageSize)).ToListAsync(ct);
        var forgotten = await db.ForgottenRentals.AsNoTracking().OrderByDescending(f => f.Until).Take(PageSize)
            .Select(f => new ForgottenRow(f.Market, f.ContractId, f.Label, f.Amount, f.From, f.Until)).ToListAsync(ct);
        return new BillView(await AgreementAsync(db, team.TeamId, question.Month, ct), rows, total, forgotten);
    }

    public async Task<BillAgreement> AgreementAsync(TeamContext team, DateOnly month, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        return await AgreementAsync(db, team.TeamId, month, ct);
    }

    internal static BillMonth MonthOf(DateOnly day) => new(new DateTimeOffset(day.Year, day.Month, 1, 0, 0, 0, TimeSpan.Zero));

    internal static async Task<BillAgreement> AgreementAsync(AppDbContext db, TeamId team, DateOnly day, CancellationToken ct)
    {
        var (month, simulated) = (MonthOf(day), await CostQueries.OnlySimulatedAsync(db, ct));
        var (start, end) = (month.Start, month.End);
        var connections = await db.Connections.AsNoTracking().Select(c => new { c.Id, c.Name, c.Market }).ToListAsync(ct);
        var readings = await db.BillReadings.AsNoTracking().ToDictionaryAsync(r => r.ConnectionId, ct);
        var metered = await db.Ledger.Where(e => e.TeamId == team && e.Kind != ChargeKind.Adjustment && e.PeriodStart >= start && e.PeriodStart < end)
            .Select(e => new { e.ConnectionId, e.Amount.Micros }).GroupBy(e => e.ConnectionId).Select(g => new { g.Key, Micros = g.Sum(e => e.Micros) }).ToDictionaryAsync(g => g.Key, g => g.Micros, ct);
        var lines = await db.BillLines.Where(l => l.TeamId == team && l.Month == start)
            .Select(l => new { l.ConnectionId, Ours = l.Reported ? l.Ours.Micros : 0, Theirs = l.Theirs.Micros, Adjusted = l.Adjusted.Micros, Open = l.State == BillState.Open ? 1 : 0, Reported = l.Reported ? 1 : 0 })
            .GroupBy(l => l.ConnectionId)
            .Select(g => new { g.Key, Ours = g.Sum(l => l.Ours), Theirs = g.Sum(l => l.Theirs), Adjusted = g.Sum(l => l.Adjusted), Open = g.Sum(l => l.Open), Reported = g.Sum(l => l.Reported) }).ToDictionaryAsync(g => g.Key, ct);
        var sums = connections.Where(c => metered.ContainsKey(c.Id) || lines.ContainsKey(c.Id)).Select(c =>
        {
            var (line, reading) = (lines.GetValueOrDefault(c.Id), readings.GetValueOrDefault(c.Id));
            return new BillSum(
                c.Id, c.Name, c.Market, new Money(line?.Ours ?? 0), new Money(line?.Theirs ?? 0), new Money(metered.GetValueOrDefault(c.Id) - (line?.Ours ?? 0)), new Money(line?.Adjusted ?? 0), line?.Open ?? 0,
                reading?.ReadAt, reading?.Failure, reading?.ForeignCount ?? 0, reading?.ForeignAmount ?? Money.Zero) { IsReported = line?.Reported > 0 };
        }).OrderByDescending(s => s.Theirs + s.Estimated).ToList();
        var open = db.BillLines.AsNoTracking().Where(l => l.TeamId == team && l.State == BillState.Open && l.Market.Simulated == simulated);
        var first = await Rows(db, open.OrderByDescending(l => Math.Abs(l.Theirs.Micros - l.Ours.Micros)).ThenBy(l => l.Id).Take(1)).FirstOrDefaultAsync(ct);
        return new BillAgreement(
            DateOnly.FromDateTime(start.UtcDateTime), [.. sums.Where(s => s.Market.Simulated == simulated)], [.. sums.Where(s => s.Market.Simulated != simulated)], await open.CountAsync(ct), first);
    }

    internal static IQueryable<BillRow> Rows(AppDbContext db, IQueryable<BillLine> lines) =>
        from l in lines
        join i in db.Instances on l.InstanceId equals i.Id
        join j in db.Jobs on i.JobId equals j.Id
        select new BillRow(
            l.Id, l.Month, l.Market, i.ContractId, i.GpuName, j.Number, j.Name, l.Kind, l.Ours, l.Theirs, l.Reported, l.Adjusted, l.State, l.Cause, l.OurRate, l.TheirRate, l.OurFrom, l.OurUntil, l.TheirFrom,
            l.TheirUntil, l.CheckedAt, l.DecidedBy == null ? null : db.Users.Where(u => u.Id == (Guid)(object)l.DecidedBy).Select(u => u.DisplayName).FirstOrDefault(), l.DecidedAt);
}
