using System.Globalization;

namespace Dashboard.Domain.Costs;

/// <summary>A price per hour of wall-clock time, in micro-dollars. Time turns it into <see cref="Money"/>; nothing else does.</summary>
public readonly record struct HourlyRate(long MicrosPerHour) : IComparable<HourlyRate>
{
    public static HourlyRate Zero => default;

    public static HourlyRate operator +(HourlyRate a, HourlyRate b) => new(checked(a.MicrosPerHour + b.MicrosPerHour));

    public static bool operator <(HourlyRate a, HourlyRate b) => a.MicrosPerHour < b.MicrosPerHour;

    public static bool operator >(HourlyRate a, HourlyRate b) => a.MicrosPerHour > b.MicrosPerHour;

    public static bool operator <=(HourlyRate a, HourlyRate b) => a.MicrosPerHour <= b.MicrosPerHour;

    public static bool operator >=(HourlyRate a, HourlyRate b) => a.MicrosPerHour >= b.MicrosPerHour;

    /// <summary>Reads decimal dollars per hour, rounded half to even to a micro-dollar.</summary>
    public static HourlyRate FromUsd(decimal usdPerHour) => new((long)decimal.Round(usdPerHour * 1_000_000m, MidpointRounding.ToEven));

    /// <summary>The rate of <paramref name="gigabytes"/> of disk at a provider's price per gigabyte and month. A month is 720 hours.</summary>
    public static HourlyRate OfDisk(decimal gigabytes, decimal usdPerGigabyteMonth) => FromUsd(gigabytes * usdPerGigabyteMonth / 720m);

    /// <summary>Dollars per hour, exact.</summary>
    public decimal Usd => MicrosPerHour / 1_000_000m;

    /// <summary>What <paramref name="time"/> at this rate costs, rounded half to even to a micro-dollar.</summary>
    public Money For(TimeSpan time) => new((long)decimal.Round(MicrosPerHour * (decimal)time.Ticks / TimeSpan.TicksPerHour, MidpointRounding.ToEven));

    public int CompareTo(HourlyRate other) => MicrosPerHour.CompareTo(other.MicrosPerHour);

    public override string ToString() => Usd.ToString("0.000000", CultureInfo.InvariantCulture) + "/h";
}
