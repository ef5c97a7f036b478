using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Budgets;

/// <summary>How a budget stands.</summary>
public enum BudgetState
{
    OnTrack,

    /// <summary>At the pace of the last days, or with what is held, it will be passed before its period ends.</summary>
    WillPass,

    Passed,
}

/// <param name="PassesAt">About when; null where it does not, or where that is not known.</param>
public sealed record BudgetOutlook(BudgetState State, DateTimeOffset? PassesAt)
{
    /// <param name="held">Set aside; it will be spent.</param>
    /// <param name="perDay">Mean spend of the last days; null: too few to tell.</param>
    /// <param name="end">Of the period; null: never.</param>
    public static BudgetOutlook Of(Money limit, Money accrued, Money held, Money? perDay, DateTimeOffset now, DateTimeOffset? end)
    {
        if (accrued >= limit)
        {
            return new BudgetOutlook(BudgetState.Passed, null);
        }

        if (accrued + held >= limit)
        {
            return new BudgetOutlook(BudgetState.WillPass, null);
        }

        if (perDay is not { Micros: > 0 } pace)
        {
            return new BudgetOutlook(BudgetState.OnTrack, null);
        }

        var days = (limit - accrued).Micros / (double)pace.Micros;
        var at = days < 36_500 ? now + TimeSpan.FromDays(days) : DateTimeOffset.MaxValue;
        return end is { } last && at < last ? new BudgetOutlook(BudgetState.WillPass, at) : new BudgetOutlook(BudgetState.OnTrack, null);
    }
}
