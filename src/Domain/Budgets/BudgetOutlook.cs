using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Budgets;

/// <summary>How a budget stands.</summary>
public enum BudgetState
{
    OnTrack,

    /// <summary>By its forecast, or with what is held, it will be passed before its period ends.</summary>
    WillPass,

    Passed,
}

/// <param name="PassesAt">About when; null where it does not, or where that is not known.</param>
public sealed record BudgetOutlook(BudgetState State, DateTimeOffset? PassesAt)
{
    /// <param name="held">Set aside; it will be spent.</param>
    /// <param name="forecast">Of its period; null: too young to tell.</param>
    public static BudgetOutlook Of(Money limit, Money accrued, Money held, SpendForecast? forecast) =>
        accrued >= limit ? new BudgetOutlook(BudgetState.Passed, null)
        : forecast?.Reaches(limit) is { } at ? new BudgetOutlook(BudgetState.WillPass, at)
        : new BudgetOutlook(accrued + held >= limit ? BudgetState.WillPass : BudgetState.OnTrack, null);
}
