using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Jobs;

public sealed class PriceOrderTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly PriceOrder Order = new(HourlyRate.FromUsd(0.35m), Noon, OrderEnding.TakeBest);

    [Fact]
    public void A_job_waits_from_its_submission_until_its_program_first_runs()
    {
        var job = JobOf(Order);
        Assert.True(PriceOrderRules.Waits(job));
        job.StartedAt = Noon;
        Assert.False(PriceOrderRules.Waits(job));
        Assert.False(PriceOrderRules.Waits(JobOf(null)));
    }

    [Fact]
    public void Its_limit_binds_later_machines_too_until_the_best_price_was_taken()
    {
        var job = JobOf(Order);
        job.StartedAt = Noon;
        Assert.Equal(Order.Limit, PriceOrderRules.Limits(job).MaxRate);
        job.Order = Order with { LiftedAt = Noon };
        Assert.Null(PriceOrderRules.Limits(job).MaxRate);
    }

    [Theory]
    [InlineData(0.30, 0.30)]
    [InlineData(0.35, 0.35)]
    [InlineData(0.50, 0.35)]
    public void Of_the_jobs_own_limit_and_its_orders_the_lower_counts(double own, double counts) =>
        Assert.Equal(HourlyRate.FromUsd((decimal)counts), PriceOrderRules.Limits(JobOf(Order, HourlyRate.FromUsd((decimal)own))).MaxRate);

    [Fact]
    public void It_is_over_at_its_time_and_never_without_one_or_once_it_was_lifted()
    {
        Assert.False(Order.IsOver(Noon.AddTicks(-1)));
        Assert.True(Order.IsOver(Noon));
        Assert.False((Order with { Until = null }).IsOver(Noon));
        Assert.False((Order with { LiftedAt = Noon }).IsOver(Noon));
    }

    private static Job JobOf(PriceOrder? order, HourlyRate? most = null) => new()
    {
        Id = new JobId(Guid.NewGuid()),
        TeamId = new TeamId(Guid.NewGuid()),
        Number = 1,
        ProjectId = new ProjectId(Guid.NewGuid()),
        CreatedBy = new UserId(Guid.NewGuid()),
        Name = "support-bot",
        Tags = [],
        Spec = new TrainingSpec { Preset = Presets.Smoke },
        ConnectionId = new ConnectionId(Guid.NewGuid()),
        Needs = new MachineNeeds([]),
        Limits = new JobLimits(null, most, null),
        Order = order,
        Estimate = null,
        CreatedAt = Noon.AddHours(-1),
    };
}
