using System.Runtime.CompilerServices;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <summary>The order of entries.</summary>
public enum LedgerSort
{
    Newest,
    Oldest,
    Largest,
    Smallest,
}

/// <param name="Period">Null: all of it.</param>
/// <param name="Page">From 1.</param>
/// <param name="UpTo">The newest entry that counts, so that pages stay as they are while others are posted; null: all there are.</param>
public sealed record LedgerQuestion(CostPeriod? Period, CostScope Scope, LedgerSort Sort, int Page = 1, long? UpTo = null);

/// <param name="Quantity">Seconds or bytes.</param>
/// <param name="Running">What the entries that match came to with this one, by time; null in another order.</param>
public sealed record LedgerRow(
    long Id, DateTimeOffset PeriodStart, DateTimeOffset PeriodEnd, int JobNumber, string JobName, string Project, string Person, string GpuName, Market Market, string? ContractId,
    ChargeKind Kind, decimal Quantity, HourlyRate Rate, Money Amount, bool Estimated, long? CorrectsId, string? Reason, DateTimeOffset PostedAt, Money? Running = null)
{
    /// <summary>Whether the provider has reported its machine and kind up to its end; a correction is the provider's own figure.</summary>
    public bool Confirmed { get; init; }

    public int Attempt { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    public ChargeKind? CorrectsKind { get; init; }

    public DateTimeOffset? CorrectsMonth { get; init; }
}

/// <param name="Sum">Over all pages; of one market class, real or simulated.</param>
/// <param name="Estimated">The part of the sum whose interval was inferred at one end.</param>
/// <param name="UpTo">The newest entry that was counted.</param>
/// <param name="Newer">Entries that match and were posted since.</param>
public sealed record LedgerView(IReadOnlyList<LedgerRow> Rows, int Total, Money Sum, Money Estimated, bool Simulated, ScopeNames Names, long UpTo, int Newer)
{
    public int Pages => Math.Max(1, (Total + LedgerQueries.PageSize - 1) / LedgerQueries.PageSize);
}

/// <summary>Entries of the ledger, one by one.</summary>
public sealed class LedgerQueries(AppDatabase database)
{
    public const int PageSize = 100;

    /// <summary>A page of what matches.</summary>
    public async Task<LedgerView> ReadAsync(TeamContext team, LedgerQuestion question, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await CostQueries.OnlySimulatedAsync(db, ct);
        var matching = Matching(db, team.TeamId, simulated, question.Period, question.Scope);
        var upTo = question.UpTo ?? await matching.MaxAsync(e => (long?)e.Id, ct) ?? 0;
        var counted = matching.Where(e => e.Id <= upTo);

        var total = await counted.CountAsync(ct);
        var sum = await counted.SumAsync(e => e.Amount.Micros, ct);
        var estimated = await counted.Where(e => e.Estimated).SumAsync(e => e.Amount.Micros, ct);
        var skipped = (Math.Clamp(question.Page, 1, Math.Max(1, (total + PageSize - 1) / PageSize)) - 1) * PageSize;
        var ordered = Ordered(counted, question.Sort);
        var above = skipped == 0 ? 0 : await ordered.Take(skipped).Select(e => e.Amount.Micros).SumAsync(ct);
        var rows = await Rows(db, ordered.Skip(skipped).Take(PageSize)).ToListAsync(ct);
        return new LedgerView(
            WithRunning(rows, question.Sort, new Money(sum), new Money(above)), total, new Money(sum), new Money(estimated), simulated && total > 0,
            await NamesAsync(db, question.Scope, ct), upTo, question.UpTo is null ? 0 : await matching.CountAsync(e => e.Id > upTo, ct));
    }

    /// <summary>Everything that matches, oldest first, as it is read: a year of entries need not fit in memory.</summary>
    public async IAsyncEnumerable<LedgerRow> StreamAsync(TeamContext team, CostPeriod? period, CostScope scope, [EnumeratorCancellation] CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var running = Money.Zero;
        var matching = Matching(db, team.TeamId, await CostQueries.OnlySimulatedAsync(db, ct), period, scope);
        await foreach (var row in Rows(db, Ordered(matching, LedgerSort.Oldest)).AsAsyncEnumerable().WithCancellation(ct))
        {
            running += row.Amount;
            yield return row with { Running = running };
        }
    }

    private static IQueryable<LedgerEntry> Matching(AppDbContext db, TeamId team, bool simulated, CostPeriod? period, CostScope scope)
    {
        var entries = db.Ledger.AsNoTracking().Where(e => e.TeamId == team && e.Market.Simulated == simulated);
        if (period is not null)
        {
            var (start, end) = (period.Start, period.End);
            entries = entries.Where(e => e.PeriodStart >= start && e.PeriodStart < end);
        }

        return scope.Of(entries, db);
    }

    private static IQueryable<LedgerEntry> Ordered(IQueryable<LedgerEntry> entries, LedgerSort sort) => sort switch
    {
        LedgerSort.Newest => entries.OrderByDescending(e => e.PeriodStart).ThenByDescending(e => e.Id),
        LedgerSort.Oldest => entries.OrderBy(e => e.PeriodStart).ThenBy(e => e.Id),
        LedgerSort.Largest => entries.OrderByDescending(e => e.Amount.Micros).ThenByDescending(e => e.Id),
        LedgerSort.Smallest => entries.OrderBy(e => e.Amount.Micros).ThenBy(e => e.Id),
    };

    // Looked up, not joined: the order stays that of the entries, and a job or a person is one of few.
    private static IQueryable<LedgerRow> Rows(AppDbContext db, IQueryable<LedgerEntry> entries) => entries.Select(e => new LedgerRow(
        e.Id, e.PeriodStart, e.PeriodEnd,
        db.Jobs.Where(j => j.Id == e.JobId).Select(j => j.Number).FirstOrDefault(),
        db.Jobs.Where(j => j.Id == e.JobId).Select(j => j.Name).FirstOrDefault() ?? "",
        db.Projects.Where(p => p.Id == e.ProjectId).Select(p => p.Name).FirstOrDefault() ?? "",
        db.Users.Where(u => u.Id == (Guid)(object)e.PersonId).Select(u => u.DisplayName).FirstOrDefault() ?? "",
        e.GpuName, e.Market,
        db.Instances.Where(i => i.Id == e.InstanceId).Select(i => i.ContractId).FirstOrDefault(),
        e.Kind, e.Quantity, e.Rate, e.Amount, e.Estimated, e.CorrectsId, e.Reason, e.PostedAt, null)
        {
            Confirmed = e.Kind == ChargeKind.Adjustment || db.BillLines.Any(l => l.InstanceId == e.InstanceId && l.Kind == e.Kind && l.Month <= e.PeriodStart && l.ConfirmedUntil >= e.PeriodEnd),
            Attempt = db.Attempts.Where(a => a.Id == e.AttemptId).Select(a => a.Number).FirstOrDefault(),
            Tags = e.Tags,
            CorrectsKind = e.CorrectsKind,
            CorrectsMonth = e.CorrectsMonth,
        });

    private static List<LedgerRow> WithRunning(List<LedgerRow> rows, LedgerSort sort, Money sum, Money above)
    {
        switch (sort)
        {
            case LedgerSort.Oldest:
                return [.. rows.Select(row => row with { Running = above += row.Amount })];
            case LedgerSort.Newest:
                var left = sum - above;
                return
                [
                    .. rows.Select(row =>
                    {
                        var here = left;
                        left -= row.Amount;
                        return row with { Running = here };
                    }),
                ];
            case LedgerSort.Largest or LedgerSort.Smallest:
                return rows;
            default:
                throw new ArgumentOutOfRangeException(nameof(sort));
        }
    }

    private static async Task<ScopeNames> NamesAsync(AppDbContext db, CostScope scope, CancellationToken ct) => new(
        scope.Project is { } project ? await db.Projects.Where(p => p.Id == project).Select(p => p.Name).FirstOrDefaultAsync(ct) : null,
        scope.Person is { } person && await db.Ledger.AnyAsync(e => e.PersonId == person, ct) ? await db.Users.Where(u => u.Id == person.Value).Select(u => u.DisplayName).FirstOrDefaultAsync(ct) : null,
        scope.Job is { } number ? await db.Jobs.Where(j => j.Number == number).Select(j => j.Name).FirstOrDefaultAsync(ct) : null);
}
