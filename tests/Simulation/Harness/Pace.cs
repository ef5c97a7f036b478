using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Microsoft.Extensions.Options;

namespace Dashboard.Simulation.Harness;

/// <summary>The product's options as the simulation sets them: within their bounds, coarser where nothing but the number of looks depends on it.</summary>
internal static class Pace
{
    public static IOptions<LifecycleOptions> Usual { get; } = Options.Create(new LifecycleOptions
    {
        QuietInterval = TimeSpan.FromSeconds(15),
        MovingInterval = TimeSpan.FromSeconds(10),
        BootingInterval = TimeSpan.FromSeconds(8),
        WatchInterval = TimeSpan.FromSeconds(15),
        LongestSleep = TimeSpan.FromSeconds(30),
        BootProgress = TimeSpan.FromMinutes(2),
        SshAnswer = TimeSpan.FromMinutes(2),
        CrossCheck = TimeSpan.FromSeconds(2),
        HostReturn = TimeSpan.FromMinutes(3),
        Drain = TimeSpan.FromMinutes(6),
        LookEvery = TimeSpan.FromSeconds(15),
    });

    /// <summary>Money is held for minutes instead of hours, so that jobs of minutes renew it.</summary>
    public static BudgetOptions Spending { get; } = new()
    {
        Hold = TimeSpan.FromMinutes(4),
        ToDestroy = TimeSpan.FromMinutes(3),
        LastCall = TimeSpan.FromMinutes(1),
        RenewEvery = TimeSpan.FromMinutes(1),
        AskAgain = TimeSpan.FromSeconds(20),
        ResumeEvery = TimeSpan.FromSeconds(30),
    };

    public static InterruptionOptions Interruption { get; } = new() { WaitMinutes = 3 };

    /// <summary>The longest time between two looks at an account on which a machine lives.</summary>
    public static TimeSpan Longest => Usual.Value.QuietInterval;
}
