using Dashboard.Domain.Costs;
using Dashboard.Web.Components;

namespace Dashboard.Web.Tests.Components;

/// <summary>Every example of the table of numbers, and its edges.</summary>
public sealed class NumbersTests
{
    [Theory]
    [InlineData("812.47", "$812.47")]
    [InlineData("0.0041", "$0.0041")]
    [InlineData("0", "$0.00")]
    [InlineData("0.01", "$0.01")]
    [InlineData("0.009999", "$0.0100")]
    [InlineData("0.000001", "< $0.0001")]
    [InlineData("1234567.891", "$1,234,567.89")]
    [InlineData("-0.48", "−$0.48")]
    public void An_amount_has_two_decimals_and_four_below_a_cent(string usd, string text) => Assert.Equal(text, Numbers.Amount(Usd(usd)));

    [Theory]
    [InlineData("1.9427", "$1.94", "27")]
    [InlineData("1.942799", "$1.94", "27")]
    [InlineData("0", "$0.00", "00")]
    [InlineData("1234.5", "$1,234.50", "00")]
    public void A_live_meter_dims_its_last_two_decimals_and_never_runs_ahead(string usd, string whole, string dimmed) => Assert.Equal((whole, dimmed), Numbers.Meter(Usd(usd)));

    [Theory]
    [InlineData("0.412", RatePeriod.Hour, "$0.412/h")]
    [InlineData("12.6", RatePeriod.Hour, "$12.60/h")]
    [InlineData("9.9994", RatePeriod.Hour, "$9.999/h")]
    [InlineData("9.9996", RatePeriod.Hour, "$10.00/h")]
    [InlineData("0.0002", RatePeriod.Hour, "$0.0002/h")]
    [InlineData("0", RatePeriod.Hour, "$0.000/h")]
    [InlineData("0.007", RatePeriod.Day, "$0.17/day")]
    [InlineData("0.007", RatePeriod.Month, "$5.04/month")]
    public void A_rate_always_carries_its_unit(string usd, RatePeriod period, string text) => Assert.Equal(text, Numbers.Rate(HourlyRate.FromUsd(Parse(usd)), period));

    [Fact]
    public void An_estimate_says_about_and_its_range_in_words()
    {
        Assert.Equal("≈ $2.90", Numbers.About(Usd("2.90")));
        Assert.Equal("likely $2.70 to $3.20", Numbers.Likely(Usd("2.70"), Usd("3.20")));
    }

    [Theory]
    [InlineData("-0.06", "−6%")]
    [InlineData("0.046", "+5%")]
    [InlineData("0.004", "0%")]
    [InlineData("-0.31", "−31%")]
    [InlineData("0.12", "+12%")]
    [InlineData("0", "0%")]
    public void A_difference_has_a_sign_always_and_a_true_minus(string fraction, string text) => Assert.Equal(text, Numbers.Difference(Parse(fraction)));

    [Theory]
    [InlineData("0.48", "+$0.48")]
    [InlineData("-0.48", "−$0.48")]
    [InlineData("0", "$0.00")]
    public void A_difference_of_money_has_a_sign_too(string usd, string text) => Assert.Equal(text, Numbers.Difference(Usd(usd)));

    [Theory]
    [InlineData("0.68", "68%")]
    [InlineData("0.046", "4.6%")]
    [InlineData("0.0996", "10%")]
    [InlineData("0.1", "10%")]
    [InlineData("1", "100%")]
    [InlineData("0", "0%")]
    public void A_share_has_a_decimal_only_below_ten_percent(string fraction, string text) => Assert.Equal(text, Numbers.Share(Parse(fraction)));

    [Theory]
    [InlineData(42, "42 s")]
    [InlineData(59.6, "1 min")]
    [InlineData(250, "4 min 10 s")]
    [InlineData(3_480, "58 min")]
    [InlineData(24_780, "6 h 53 min")]
    [InlineData(7_200, "2 h")]
    [InlineData(100_800, "1 day 4 h")]
    [InlineData(259_200, "3 days")]
    [InlineData(-5, "0 s")]
    public void A_duration_has_two_units_at_most(double seconds, string text) => Assert.Equal(text, Numbers.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(4.9, "just now")]
    [InlineData(40, "40 s")]
    [InlineData(2_820, "47 min")]
    [InlineData(18_000, "5 h")]
    [InlineData(950_400, "11 d")]
    public void An_age_has_one_unit(double seconds, string text) => Assert.Equal(text, Numbers.Age(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(84_000_000, "84.0 MB")]
    [InlineData(999, "999 B")]
    [InlineData(999_999, "1.0 MB")]
    [InlineData(1_500, "1.5 kB")]
    [InlineData(16_100_000_000, "16.1 GB")]
    public void Sizes_are_decimal(long bytes, string text) => Assert.Equal(text, Numbers.Bytes(bytes));

    [Theory]
    [InlineData("300", "300 Mb/s")]
    [InlineData("1800", "1.8 Gb/s")]
    [InlineData("999.7", "1.0 Gb/s")]
    public void Speeds_are_decimal(string megabits, string text) => Assert.Equal(text, Numbers.Speed(Parse(megabits)));

    [Theory]
    [InlineData(24_564, "24 GB")]
    [InlineData(81_559, "80 GB")]
    [InlineData(11_264, "11 GB")]
    public void Vram_is_what_the_card_is_sold_with(int megabytes, string text) => Assert.Equal(text, Numbers.Vram(megabytes));

    [Fact]
    public void A_loss_has_three_decimals_and_says_when_it_is_no_number()
    {
        Assert.Equal("0.842", Numbers.Loss(0.8421));
        Assert.Equal("not finite", Numbers.Loss(double.NaN));
    }

    private static decimal Parse(string text) => decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static Money Usd(string text) => Money.FromUsd(Parse(text));
}
