using Dashboard.Domain.Budgets;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Budgets;

/// <summary>What people call the parts of a budget.</summary>
internal static class BudgetWords
{
    public static string Of(BudgetScope scope) => scope switch
    {
        BudgetScope.Team => "Whole team",
        BudgetScope.Project => "Project",
        BudgetScope.Person => "Person",
        BudgetScope.Tag => "Tag",
        BudgetScope.Job => "Job",
    };

    /// <summary>After a name: <c>legal-summaries, month</c>.</summary>
    public static string Of(BudgetPeriod period) => period switch
    {
        BudgetPeriod.Month => "month",
        BudgetPeriod.Week => "week",
        BudgetPeriod.Total => "in total",
    };

    public static string Of(AtLimit atLimit) => atLimit switch
    {
        AtLimit.Tell => "tell",
        AtLimit.StartNothingNew => "start nothing new",
        AtLimit.SaveAndStop => "save, stop, tell",
    };

    public static StatusFace Of(BudgetState state) => state switch
    {
        BudgetState.OnTrack => new("ok", Glyphs.CheckCircle, "on track"),
        BudgetState.WillPass => new("warn", Glyphs.Warning, "will pass"),
        BudgetState.Passed => new("bad", Glyphs.Dangerous, "passed"),
    };

    /// <summary>What it comes to, in one sentence without colour.</summary>
    public static string Outlook(BudgetView budget) => (budget.Outlook, budget.Expected) switch
    {
        ({ State: BudgetState.Passed }, _) => budget.AtLimit == AtLimit.Tell ? "Passed; nothing stops." : "Passed; nothing new starts.",
        ({ PassesAt: { } at }, _) => $"Passes about {Day(at)}.",
        ({ State: BudgetState.WillPass }, _) => "What is set aside reaches the limit.",
        (_, { } expected) => $"{Numbers.About(expected)} by {Day(budget.Ends!.Value.AddDays(-1))}.",
        _ when budget.Foretold => "Lasts more than 90 days as it is spent now.",
        _ => "A forecast is known after a few days with spend.",
    };

    private static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM", System.Globalization.CultureInfo.InvariantCulture);
}
