using CsCheck;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Costs;

public sealed class MoneyTests
{
    // Half the range each, so that a sum of two always fits.
    private static readonly Gen<Money> Amounts = Gen.Long[long.MinValue / 4, long.MaxValue / 4].Select(micros => new Money(micros));

    [Fact]
    public void The_default_amount_is_zero() => Assert.Equal(Money.Zero, default);

    [Fact]
    public void Adding_is_commutative_and_associative() =>
        Gen.Select(Amounts, Amounts, Amounts).Where((a, b, c) => Fits(a, b, c)).Sample((a, b, c) =>
        {
            Assert.Equal(a + b, b + a);
            Assert.Equal((a + b) + c, a + (b + c));
        });

    [Fact]
    public void What_was_added_can_be_taken_away_again() =>
        Gen.Select(Amounts, Amounts).Sample((a, b) => Assert.Equal(a, (a + b) - b));

    [Fact]
    public void An_amount_and_its_negative_are_nothing() => Amounts.Sample(a => Assert.Equal(Money.Zero, a + (-a)));

    [Fact]
    public void Order_is_the_order_of_the_dollars() =>
        Gen.Select(Amounts, Amounts).Sample((a, b) =>
        {
            Assert.Equal(a.Usd < b.Usd, a < b);
            Assert.Equal(a.Usd > b.Usd, a > b);
            Assert.Equal(a <= b, !(a > b));
            Assert.Equal(a >= b, !(a < b));
            Assert.Equal(Math.Sign(a.Usd.CompareTo(b.Usd)), Math.Sign(a.CompareTo(b)));
        });

    [Fact]
    public void A_sum_too_large_is_refused_and_does_not_wrap_round() =>
        Assert.Throws<OverflowException>(() => new Money(long.MaxValue) + new Money(1));

    [Fact]
    public void A_difference_too_large_is_refused_and_does_not_wrap_round() =>
        Assert.Throws<OverflowException>(() => new Money(long.MinValue) - new Money(1));

    [Fact]
    public void Dollars_of_a_provider_survive_the_way_in_and_out() =>
        Gen.Long[-1_000_000_000_000, 1_000_000_000_000].Sample(micros => Assert.Equal(micros / 1_000_000m, Money.FromUsd(micros / 1_000_000m).Usd));

    [Theory]
    [InlineData("0.0000005", 0)] // half a micro-dollar goes to the even neighbour, so many halves do not drift
    [InlineData("0.0000015", 2)]
    [InlineData("0.0000025", 2)]
    [InlineData("-0.0000015", -2)]
    [InlineData("0.41234567", 412_346)]
    public void Dollars_are_rounded_half_to_even_to_a_micro_dollar(string usd, long micros) =>
        Assert.Equal(new Money(micros), Money.FromUsd(decimal.Parse(usd, System.Globalization.CultureInfo.InvariantCulture)));

    [Fact]
    public void Exports_show_six_decimals_with_a_point() => Assert.Equal("-1234.500001", new Money(-1_234_500_001).ToString());

    private static bool Fits(Money a, Money b, Money c) =>
        decimal.Abs((decimal)a.Micros + b.Micros + c.Micros) < long.MaxValue && decimal.Abs((decimal)b.Micros + c.Micros) < long.MaxValue;
}
