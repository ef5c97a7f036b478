using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Budgets;

/// <summary>What somebody of a role may spend without asking. A part that is null has no limit; neither has a role without a row.</summary>
public sealed class RoleLimit
{
    public required TeamId TeamId { get; init; }

    public required Role Role { get; init; }

    /// <summary>One job, in all.</summary>
    public Money? PerJob { get; set; }

    /// <summary>GPU and disk of a job's machine.</summary>
    public HourlyRate? PerHour { get; set; }

    /// <summary>All jobs of one person in a calendar month, UTC.</summary>
    public Money? PerMonth { get; set; }
}

/// <summary>What a role's limit is for.</summary>
public enum RoleLimitKind
{
    Job,
    Hour,
    Month,
}

/// <summary>What somebody is about to spend.</summary>
/// <param name="Total">What the job is expected to cost in all, its own limit at most; null: nobody can say.</param>
/// <param name="Rate">GPU and disk of its machine; null: nobody can say.</param>
/// <param name="Month">What the person's other jobs have cost in this month, and what those that run or wait will still cost.</param>
public sealed record RoleSpend(Money? Total, HourlyRate? Rate, Money Month);

/// <summary>A role's limit that would be passed.</summary>
/// <param name="Asked">Of <see cref="RoleLimitKind.Hour"/>: of one hour.</param>
/// <param name="Limit">Likewise.</param>
public sealed record PassedLimit(RoleLimitKind Kind, Money Asked, Money Limit);

/// <summary>Whether a job needs somebody's yes, and what it may cost without one.</summary>
public static class RoleLimitRules
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>The limits that <paramref name="spend"/> passes: the job's first. Empty: nobody need be asked.</summary>
    public static IReadOnlyList<PassedLimit> Passed(RoleLimit? limit, RoleSpend spend)
    {
        var passed = new List<PassedLimit>();
        if (limit?.PerJob is { } job && spend.Total > job)
        {
            passed.Add(new PassedLimit(RoleLimitKind.Job, spend.Total.Value, job));
        }

        if (limit?.PerHour is { } rate && spend.Rate > rate)
        {
            passed.Add(new PassedLimit(RoleLimitKind.Hour, spend.Rate.Value.For(Hour), rate.For(Hour)));
        }

        if (limit?.PerMonth is { } month && (spend.Month + (spend.Total ?? Money.Zero) > month || spend.Month >= month))
        {
            passed.Add(new PassedLimit(RoleLimitKind.Month, spend.Month + (spend.Total ?? Money.Zero), month));
        }

        return passed;
    }

    /// <summary>
    /// The limits a job gets, so that no estimate is a way past its role's: what is not asked for ends at the role's limit, by the job's own
    /// limits, which every machine and every renewal keeps to. What is asked for is bounded by what was shown to whoever says yes.
    /// </summary>
    /// <param name="atMost">The upper end of what the job may cost; null: nobody can say.</param>
    public static JobLimits Bound(RoleLimit? limit, JobLimits asked, RoleSpend spend, IReadOnlyList<PassedLimit> passed, Money? atMost)
    {
        if (limit is null)
        {
            return asked;
        }

        bool Asks(RoleLimitKind kind) => passed.Any(p => p.Kind == kind);
        var cost = Asks(RoleLimitKind.Job) || Asks(RoleLimitKind.Month)
            ? asked.MaxCost ?? atMost
            : Least(Least(asked.MaxCost, limit.PerJob), limit.PerMonth is { } month ? month - spend.Month : null);
        var rate = Asks(RoleLimitKind.Hour)
            ? asked.MaxRate ?? Above(spend.Rate!.Value)
            : asked.MaxRate is { } own && !(limit.PerHour < own) ? own : limit.PerHour;
        return asked with { MaxCost = cost, MaxRate = rate };
    }

    /// <summary>A sentence without its stop.</summary>
    /// <param name="role">Whose limit it is; null: the reader's own.</param>
    public static string Words(PassedLimit passed, Role? role)
    {
        var (the, whose) = role is { } of ? ("the", $" of {Plural(of)}") : ("your", "");
        return passed.Kind switch
        {
            RoleLimitKind.Job => $"≈ {passed.Asked.Words()} is above {the} {passed.Limit.Words()} a job{whose}",
            RoleLimitKind.Hour => $"{OfHour(passed.Asked).Words()} is above {the} {OfHour(passed.Limit).Words()}{whose}",
            RoleLimitKind.Month => $"≈ {passed.Asked.Words()} this month, with this job, is above {the} {passed.Limit.Words()} a month{whose}",
        };
    }

    /// <summary><c>$25.00 a job</c>, <c>$2.000/h</c>, <c>$300.00 a month</c>.</summary>
    public static string Words(RoleLimitKind kind, Money limit) => kind switch
    {
        RoleLimitKind.Job => $"{limit.Words()} a job",
        RoleLimitKind.Hour => OfHour(limit).Words(),
        RoleLimitKind.Month => $"{limit.Words()} a month",
    };

    public static string Plural(Role role) => role switch
    {
        Role.Viewer => "viewers",
        Role.Member => "members",
        Role.Admin => "admins",
        Role.Owner => "owners",
    };

    private static HourlyRate OfHour(Money amount) => new(amount.Micros);

    private static Money? Least(Money? a, Money? b) => a is { } known && !(b < known) ? known : b;

    // The next best offer may cost a little more than the one that was shown.
    private static HourlyRate Above(HourlyRate rate) => new(rate.MicrosPerHour + (rate.MicrosPerHour / 10));
}
