using System.Globalization;

namespace Dashboard.Domain.Costs;

/// <summary>An exact amount in US dollars, in whole micro-dollars (1 USD = 1,000,000). The default value is zero.</summary>
public readonly record struct Money(long Micros) : IComparable<Money>
{
    public static Money Zero => default;

    public static Money operator +(Money a, Money b) => new(checked(a.Micros + b.Micros));

    public static Money operator -(Money a, Money b) => new(checked(a.Micros - b.Micros));

    public static Money operator -(Money a) => new(checked(-a.Micros));

    public static bool operator <(Money a, Money b) => a.Micros < b.Micros;

    public static bool operator >(Money a, Money b) => a.Micros > b.Micros;

    public static bool operator <=(Money a, Money b) => a.Micros <= b.Micros;

    public static bool operator >=(Money a, Money b) => a.Micros >= b.Micros;

    /// <summary>Reads a provider's or a person's decimal dollars, rounded half to even to a micro-dollar.</summary>
    /// <exception cref="OverflowException">Beyond ±9.2 trillion dollars.</exception>
    public static Money FromUsd(decimal usd) => new((long)decimal.Round(usd * 1_000_000m, MidpointRounding.ToEven));

    /// <summary>The amount in dollars, exact.</summary>
    public decimal Usd => Micros / 1_000_000m;

    public int CompareTo(Money other) => Micros.CompareTo(other.Micros);

    /// <summary>Dollars with six decimals, for logs and exports; pages use their own component.</summary>
    public override string ToString() => Usd.ToString("0.000000", CultureInfo.InvariantCulture);
}
