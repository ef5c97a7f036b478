using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Alerts;

/// <summary>What a rule watches.</summary>
public enum AlertMetric
{
    /// <summary>US dollars charged since midnight UTC.</summary>
    SpendToday,

    /// <summary>US dollars an hour that is being paid now.</summary>
    BurnRate,

    /// <summary>Hours until the account that ends first has no credit left, at the present rate.</summary>
    BalanceHours,

    /// <summary>Machines that may bill while no program runs on them, those that were not started here included.</summary>
    IdleMachines,

    /// <summary>Jobs that have no machine yet.</summary>
    JobsWaiting,

    /// <summary>US dollars that the team will have spent at the end of this month, UTC, by the forecast of Costs.</summary>
    MonthForecast,

    /// <summary>Percent of a budget's limit that will be spent at the end of its period, by its forecast.</summary>
    BudgetForecast,
}

/// <summary>Where a rule stands.</summary>
public enum RuleState
{
    Normal,

    /// <summary>Its condition holds, but not long enough yet.</summary>
    Pending,
    Firing,

    /// <summary>It fired, and its condition has clearly gone; it calms down from here.</summary>
    Resolved,
}

/// <summary>What a rule makes of a figure that is not known.</summary>
public enum NoData
{
    /// <summary>It stays where it is.</summary>
    Keep,

    /// <summary>As if its condition did not hold.</summary>
    Calm,

    /// <summary>As if it held.</summary>
    Alarm,
}

/// <summary>Something a team wants to be told of. Where it stands is here too, so that a restart neither forgets nor repeats.</summary>
public sealed class AlertRule
{
    public required AlertRuleId Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required AlertMetric Metric { get; init; }

    /// <summary>Of <see cref="AlertMetric.BudgetForecast"/>: which budget. Null for all others.</summary>
    public BudgetId? BudgetId { get; init; }

    /// <summary>In the metric's own unit.</summary>
    public required decimal Threshold { get; init; }

    /// <summary>How long the condition has to hold before it fires.</summary>
    public required TimeSpan HoldFor { get; init; }

    public required NoData NoData { get; init; }

    public required UserId CreatedBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public RuleState State { get; set; }

    /// <summary>When the state began.</summary>
    public required DateTimeOffset Since { get; set; }

    /// <summary>Moves so far; whoever moves it raises it, so that of two servers one does.</summary>
    public int Moves { get; set; }

    /// <summary>The figure when it was last looked at; null: it was not known.</summary>
    public decimal? Value { get; set; }

    public DateTimeOffset? SeenAt { get; set; }

    /// <summary>Says nothing before.</summary>
    public DateTimeOffset? MutedUntil { get; set; }
}

/// <summary>One move of a rule, for its history. <see cref="Number"/> is the rule's count of moves with it.</summary>
public sealed class AlertMove
{
    public required AlertRuleId RuleId { get; init; }

    public required int Number { get; init; }

    public required TeamId TeamId { get; init; }

    public required DateTimeOffset At { get; init; }

    public required RuleState From { get; init; }

    public required RuleState To { get; init; }

    /// <summary>The figure that moved it; null: it was not known.</summary>
    public decimal? Value { get; init; }
}

/// <param name="Since">When the state began.</param>
public readonly record struct RuleStanding(RuleState State, DateTimeOffset Since);

/// <summary>When a rule fires and when it is over. It ends clearly beyond its threshold, so that a figure which trembles around it says something once.</summary>
public static class AlertRules
{
    /// <summary>Beyond the threshold by so much, it is over.</summary>
    private const decimal Hysteresis = 0.05m;

    /// <summary>How long a rule shows that it was resolved.</summary>
    private static readonly TimeSpan Calming = TimeSpan.FromMinutes(15);

    /// <summary>Whether less is worse.</summary>
    public static bool IsFloor(AlertMetric metric) => metric switch
    {
        AlertMetric.BalanceHours => true,
        AlertMetric.SpendToday or AlertMetric.BurnRate or AlertMetric.IdleMachines or AlertMetric.JobsWaiting or AlertMetric.MonthForecast or AlertMetric.BudgetForecast => false,
    };

    /// <param name="value">What is known now; null: nothing, and <paramref name="noData"/> decides.</param>
    public static RuleStanding Next(RuleStanding standing, AlertMetric metric, decimal threshold, TimeSpan holdFor, NoData noData, decimal? value, DateTimeOffset now)
    {
        if (value is null && noData == NoData.Keep)
        {
            return standing;
        }

        var holds = value is { } figure ? Holds(metric, threshold, figure) : noData == NoData.Alarm;
        var gone = value is { } known ? IsClear(metric, threshold, known) : !holds;
        var fires = holdFor <= TimeSpan.Zero ? RuleState.Firing : RuleState.Pending;
        return standing.State switch
        {
            RuleState.Normal when holds => new(fires, now),
            RuleState.Pending when !holds => new(RuleState.Normal, now),
            RuleState.Pending when now - standing.Since >= holdFor => new(RuleState.Firing, now),
            RuleState.Firing when gone => new(RuleState.Resolved, now),
            RuleState.Resolved when holds => new(fires, now),
            RuleState.Resolved when now - standing.Since >= Calming => new(RuleState.Normal, now),
            RuleState.Normal or RuleState.Pending or RuleState.Firing or RuleState.Resolved => standing,
        };
    }

    /// <summary>What a person must be allowed, to make such a rule and to hear of it.</summary>
    public static Permission Needs(AlertMetric metric) => metric switch
    {
        AlertMetric.SpendToday or AlertMetric.BurnRate or AlertMetric.BalanceHours or AlertMetric.MonthForecast or AlertMetric.BudgetForecast => Permission.SeeMoney,
        AlertMetric.IdleMachines or AlertMetric.JobsWaiting => Permission.See,
    };

    /// <summary><c>$12.40</c>, <c>$0.412/h</c>, <c>3.5 h</c>, <c>2 machines</c>, <c>≈ $1,083.00</c>, <c>≈ 108%</c>; a dash when it is not known.</summary>
    public static string Words(AlertMetric metric, decimal? value) => value is not { } figure ? "—" : IsForecast(metric) ? $"≈ {Amount(metric, figure)}" : Amount(metric, figure);

    /// <summary>Whether its figure is foretold, not read.</summary>
    public static bool IsForecast(AlertMetric metric) => metric is AlertMetric.MonthForecast or AlertMetric.BudgetForecast;

    private static string Amount(AlertMetric metric, decimal figure) => metric switch
    {
        AlertMetric.SpendToday => Money.FromUsd(figure).Words(),
        AlertMetric.BurnRate => HourlyRate.FromUsd(figure).Words(),
        AlertMetric.BalanceHours => $"{figure.ToString("0.#", CultureInfo.InvariantCulture)} h",
        AlertMetric.IdleMachines => Count(figure, "machine", "machines"),
        AlertMetric.JobsWaiting => Count(figure, "job", "jobs"),
        AlertMetric.MonthForecast => Money.FromUsd(figure).Words(),
        AlertMetric.BudgetForecast => $"{figure.ToString("0.#", CultureInfo.InvariantCulture)}%",
    };

    /// <param name="budget">Whose budget it is about, in words; null: about none, or one that has ended.</param>
    public static string Name(AlertMetric metric, string? budget = null) => metric switch
    {
        AlertMetric.SpendToday => "Spend today",
        AlertMetric.BurnRate => "Burn rate",
        AlertMetric.BalanceHours => "Credit left",
        AlertMetric.IdleMachines => "Idle machines",
        AlertMetric.JobsWaiting => "Jobs waiting",
        AlertMetric.MonthForecast => "Forecast of the month",
        AlertMetric.BudgetForecast => budget is null ? "Forecast of a budget that has ended" : $"Forecast of the budget of {budget}",
    };

    /// <summary><c>Burn rate at least $5.000/h for 10 min</c>.</summary>
    public static string Sentence(AlertMetric metric, decimal threshold, TimeSpan holdFor, string? budget = null) =>
        $"{Name(metric, budget)} at {(IsFloor(metric) ? "most" : "least")} {Amount(metric, threshold)}{(metric == AlertMetric.BudgetForecast ? " of its limit" : "")}{(holdFor > TimeSpan.Zero ? $" for {(int)holdFor.TotalMinutes} min" : "")}";

    private static bool Holds(AlertMetric metric, decimal threshold, decimal value) => IsFloor(metric) ? value <= threshold : value >= threshold;

    private static bool IsClear(AlertMetric metric, decimal threshold, decimal value) =>
        IsFloor(metric) ? value > threshold * (1 + Hysteresis) : value < threshold * (1 - Hysteresis);

    private static string Count(decimal figure, string one, string many) => $"{figure.ToString("0.#", CultureInfo.InvariantCulture)} {(figure == 1 ? one : many)}";
}
