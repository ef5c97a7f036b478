using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Tests.Jobs;

public sealed class JobMeterTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private static readonly RunningCharge Gpu = new(2, ChargeKind.Gpu, HourlyRate.FromUsd(0.40m), Noon, null, Money.FromUsd(0.10m));

    [Fact]
    public void The_meter_is_the_ledger_plus_what_has_grown_since_it_was_posted()
    {
        var meter = new JobMeter([new(1, ChargeKind.Gpu, Money.FromUsd(0.26m), 4_200), new(2, ChargeKind.Gpu, Money.FromUsd(0.10m), 900)], [Gpu]);

        // 0.26 of attempt 1, and an hour at 0.40 of attempt 2, of which 0.10 is posted already.
        Assert.Equal(Money.FromUsd(0.66m), meter.SoFar(Noon.AddHours(1)));
        Assert.Equal(HourlyRate.FromUsd(0.40m), meter.Rate(Noon.AddHours(1)));
    }

    [Fact]
    public void The_lines_of_the_bill_add_up_to_the_meter_at_any_instant()
    {
        var meter = new JobMeter(
            [new(1, ChargeKind.Gpu, new Money(260_001), 4_200), new(1, ChargeKind.Disk, new Money(7), 4_200), new(2, ChargeKind.Upload, new Money(33), 84_000_000)],
            [Gpu, new(2, ChargeKind.Disk, new HourlyRate(6_931), Noon.AddMinutes(-3), null, Money.Zero)]);
        for (var second = 0; second < 4_000; second += 37)
        {
            var now = Noon.AddSeconds(second);
            Assert.Equal(meter.SoFar(now), meter.Parts(now).Aggregate(Money.Zero, (sum, part) => sum + part.Amount));
        }
    }

    [Fact]
    public void A_charge_stops_growing_where_billing_ended()
    {
        var meter = new JobMeter([], [Gpu with { Until = Noon.AddHours(1) }]);
        Assert.Equal(meter.SoFar(Noon.AddHours(1)), meter.SoFar(Noon.AddHours(5)));
        Assert.Equal(HourlyRate.Zero, meter.Rate(Noon.AddHours(5)));
    }

    [Fact]
    public void A_reading_from_before_the_last_posting_never_runs_backwards() =>
        Assert.Equal(Money.Zero, new JobMeter([], [Gpu]).SoFar(Noon.AddMinutes(1)));

    [Fact]
    public void Traffic_counts_bytes_and_time_counts_seconds()
    {
        var parts = new JobMeter([new(1, ChargeKind.Upload, new Money(5), 84_000_000), new(1, ChargeKind.Disk, new Money(5), 60)], []).Parts(Noon);
        Assert.Equal([(ChargeKind.Disk, 60m, 0m), (ChargeKind.Upload, 0m, 84_000_000m)], parts.Select(p => (p.Kind, p.Seconds, p.Bytes)));
    }
}
