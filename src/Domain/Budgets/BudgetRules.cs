using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Budgets;

/// <summary>What is charged, seen by budgets: whose it is.</summary>
/// <param name="Simulated">Whether it is play money.</param>
public sealed record Spender(TeamId Team, ProjectId Project, UserId Person, IReadOnlyList<string> Tags, JobId? Job, bool Simulated);

/// <summary>How much time a hold pays for.</summary>
public sealed record HoldTerms
{
    /// <summary>Longest running time held for at once.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Held on top of it: to save, bring home and destroy.</summary>
    public TimeSpan ToDestroy { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The last part of <see cref="ToDestroy"/>: nothing is fetched any more, the machine is destroyed.</summary>
    public TimeSpan LastCall { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Time between two renewals.</summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Less running time than this is not worth a machine.</summary>
    public TimeSpan Least { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>One budget as a machine sees it.</summary>
/// <param name="Limits">Whether its limit refuses this hold; else it only counts.</param>
/// <param name="Free">Limit less accrued and held; negative once it is passed.</param>
/// <param name="Mine">Held for this machine.</param>
/// <param name="Promised">What its job was promised and has not drawn.</param>
public sealed record BudgetRoom(BudgetId Id, bool Limits, Money Free, Money Mine, Money Promised)
{
    /// <summary>The most that can be held for the machine. A budget that is passed gives nothing more, promised or not.</summary>
    public Money Reach => Free < Money.Zero ? Mine : Mine + Promised + Free;
}

/// <param name="Until">The instant up to which the machine is paid for, destroying included.</param>
/// <param name="Refused">The budget that is in the way; null: granted.</param>
public sealed record HoldDecision(DateTimeOffset Until, BudgetId? Refused);

/// <summary>Which budgets a job falls under, whether it fits them, and what is held of them for its machine.</summary>
public static class BudgetRules
{
    /// <summary>Whether a charge or a hold of <paramref name="spender"/> counts against <paramref name="budget"/>.</summary>
    public static bool Concerns(Budget budget, Spender spender)
    {
        if (budget.EndedAt is not null || budget.TeamId != spender.Team || budget.Simulated != spender.Simulated)
        {
            return false;
        }

        return budget.Scope switch
        {
            BudgetScope.Team => true,
            BudgetScope.Project => budget.Subject == spender.Project.ToString(),
            BudgetScope.Person => budget.Subject == spender.Person.ToString(),
            BudgetScope.Tag => spender.Tags.Contains(budget.Subject, StringComparer.OrdinalIgnoreCase),
            BudgetScope.Job => budget.Subject == spender.Job?.ToString(),
        };
    }

    /// <summary>Whether the limit refuses a hold: for a machine that would be new, or for one that runs.</summary>
    public static bool Limits(AtLimit atLimit, bool running) => atLimit switch
    {
        AtLimit.Tell => false,
        AtLimit.StartNothingNew => !running,
        AtLimit.SaveAndStop => true,
    };

    /// <summary>Start of the period that <paramref name="at"/> lies in, UTC.</summary>
    public static DateTimeOffset PeriodStart(BudgetPeriod period, DateTimeOffset at)
    {
        var day = new DateTimeOffset(at.UtcDateTime.Date, TimeSpan.Zero);
        return period switch
        {
            BudgetPeriod.Month => day.AddDays(1 - day.Day),
            BudgetPeriod.Week => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
            BudgetPeriod.Total => DateTimeOffset.UnixEpoch,
        };
    }

    /// <summary>When the period is over; null: never.</summary>
    public static DateTimeOffset? PeriodEnd(BudgetPeriod period, DateTimeOffset at) => period switch
    {
        BudgetPeriod.Month => PeriodStart(period, at).AddMonths(1),
        BudgetPeriod.Week => PeriodStart(period, at).AddDays(7),
        BudgetPeriod.Total => null,
    };

    /// <summary>What each budget must have left for a job to fit: the estimate's upper end and the way out, never more than the job's own limit.</summary>
    public static Money Needed(CostEstimate estimate, HourlyRate rate, Money? ownLimit, HoldTerms terms)
    {
        var shortest = rate.For(terms.Least);
        var needed = (estimate.High > shortest ? estimate.High : shortest) + rate.For(terms.ToDestroy);
        return ownLimit < needed ? ownLimit.Value : needed;
    }

    /// <summary>The fits rule. The budget with the least left of those that <paramref name="needed"/> would pass; null: it fits all.</summary>
    public static Budget? InTheWay(IEnumerable<Budget> budgets, Money needed) =>
        budgets.Where(b => Limits(b.AtLimit, running: false) && b.Free < needed).MinBy(b => b.Free);

    /// <summary>Whether a job that does not fit may be started all the same, to be paused when the money ends. Not where a limit lets no job start that it would not let end.</summary>
    public static bool MayPauseUnder(IEnumerable<Budget> budgets, Money needed) =>
        budgets.Where(b => Limits(b.AtLimit, running: false) && b.Free < needed).All(b => b.AtLimit == AtLimit.SaveAndStop);

    /// <summary>The running time to hold for: what is left of the job, at least until a renewal would be due again.</summary>
    /// <param name="left">What the estimate leaves; null: unknown.</param>
    /// <param name="allowed">What the job's own limit of time leaves; null: no limit.</param>
    public static TimeSpan TimeToHold(TimeSpan? left, TimeSpan? allowed, HoldTerms terms)
    {
        var wanted = left is { } known && known < terms.Longest ? Longer(known, terms.RenewEvery) : terms.Longest;
        return allowed is { } most && most < wanted ? Longer(most, TimeSpan.Zero) : wanted;
    }

    /// <summary>The hold rule: paid for as long as wanted, or as every budget reaches. Refused when that is less than the shortest run and the way out.</summary>
    public static HoldDecision Decide(MachineMeter meter, IReadOnlyCollection<BudgetRoom> rooms, TimeSpan wanted, DateTimeOffset now, HoldTerms terms)
    {
        var (until, tightest) = (now + wanted + terms.ToDestroy, (BudgetRoom?)null);
        foreach (var room in rooms.Where(r => r.Limits))
        {
            var reach = meter.CoveredUntil(room.Reach);
            if (reach < until || room.Free < Money.Zero)
            {
                (until, tightest) = (reach < until ? reach : until, room);
            }
        }

        var least = now + (wanted < terms.Least ? wanted : terms.Least) + terms.ToDestroy;
        if (tightest is null || (until >= least && !rooms.Any(r => r.Limits && r.Free < Money.Zero)))
        {
            return new HoldDecision(until, null);
        }

        // What is held already stays: the machine has until then to save and go.
        var kept = rooms.Where(r => r.Limits).Min(r => meter.CoveredUntil(r.Mine));
        return new HoldDecision(kept, tightest.Id);
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
