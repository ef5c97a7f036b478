using CsCheck;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Costs;

public sealed class HourlyRateTests
{
    private static readonly Gen<HourlyRate> Rates = Gen.Long[0, 50_000_000].Select(micros => new HourlyRate(micros));
    private static readonly Gen<TimeSpan> Times = Gen.Int[0, 90 * 24 * 3600].Select(seconds => TimeSpan.FromSeconds(seconds));

    [Fact]
    public void One_hour_costs_the_rate() => Rates.Sample(rate => Assert.Equal(new Money(rate.MicrosPerHour), rate.For(TimeSpan.FromHours(1))));

    [Fact]
    public void No_time_costs_nothing() => Rates.Sample(rate => Assert.Equal(Money.Zero, rate.For(TimeSpan.Zero)));

    [Fact]
    public void More_time_never_costs_less() =>
        Gen.Select(Rates, Times, Times).Sample((rate, a, b) => Assert.True(rate.For(a) <= rate.For(a + b)));

    [Fact]
    public void Two_parts_cost_the_whole_to_within_a_micro_dollar_of_rounding() =>
        Gen.Select(Rates, Times, Times).Sample((rate, a, b) =>
            Assert.InRange((rate.For(a) + rate.For(b) - rate.For(a + b)).Micros, -1, 1));

    [Fact]
    public void Gpu_and_disk_rates_add_up() =>
        Gen.Select(Rates, Rates).Sample((gpu, disk) => Assert.Equal(gpu.MicrosPerHour + disk.MicrosPerHour, (gpu + disk).MicrosPerHour));

    [Theory]
    [InlineData(3_600_000_000, 1, 1_000_000)] // $3,600 an hour is a dollar a second
    [InlineData(412_000, 3_600, 412_000)]
    [InlineData(412_000, 1, 114)] // 114.44 micro-dollars
    [InlineData(1, 1_800, 0)] // exactly half a micro-dollar: to even
    [InlineData(3, 1_800, 2)] // 1.5: to even
    public void Seconds_are_billed_to_the_micro_dollar(long microsPerHour, int seconds, long micros) =>
        Assert.Equal(new Money(micros), new HourlyRate(microsPerHour).For(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(10, "0.15", 2_083)] // 1.5 dollars a month, 720 hours: 2,083.3 micro-dollars
    [InlineData(720, "0.10", 100_000)]
    [InlineData(0, "0.15", 0)]
    public void Disk_is_priced_by_gigabyte_and_a_month_of_720_hours(int gigabytes, string usdPerGigabyteMonth, long microsPerHour) =>
        Assert.Equal(new HourlyRate(microsPerHour), HourlyRate.OfDisk(gigabytes, decimal.Parse(usdPerGigabyteMonth, System.Globalization.CultureInfo.InvariantCulture)));

    [Fact]
    public void Logs_and_exports_show_the_unit() => Assert.Equal("0.412000/h", new HourlyRate(412_000).ToString());
}
