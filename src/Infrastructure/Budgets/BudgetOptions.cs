using System.ComponentModel.DataAnnotations;
using Dashboard.Domain.Budgets;

namespace Dashboard.Infrastructure.Budgets;

/// <summary>How far ahead money is held for a machine. Section <c>Budgets</c>.</summary>
public sealed class BudgetOptions
{
    /// <summary>Longest running time held for at once. Default 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")] public TimeSpan Hold { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Held on top of it, to save, bring home and destroy. Default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "02:00:00")] public TimeSpan ToDestroy { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The last part of that: nothing is fetched any more, the machine is destroyed. Default 2 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan LastCall { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Time between two renewals. Default 15 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan RenewEvery { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>After a refused renewal: money may come free. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan AskAgain { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a paused job looks whether it can go on. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan ResumeEvery { get; init; } = TimeSpan.FromMinutes(1);

    public HoldTerms Terms => new() { Longest = Hold, ToDestroy = ToDestroy, LastCall = LastCall, RenewEvery = RenewEvery, Least = RenewEvery < TimeSpan.FromMinutes(1) ? RenewEvery : TimeSpan.FromMinutes(1) };
}
