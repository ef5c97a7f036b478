namespace Dashboard.Sandbox.Market;

/// <summary>What the rest of the world does to a machine: prices that follow the day and the week, and other people's rentals. Pure functions of seed and time.</summary>
internal sealed class Demand(Dice dice)
{
    private const double Day = 86_400;
    private static readonly TimeSpan PriceStep = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RivalStay = TimeSpan.FromHours(8);
    private static readonly TimeSpan BidderStay = TimeSpan.FromHours(3);

    /// <summary>USD per GPU-hour. Busiest in the European and American afternoon and at mid-week; each model and each host drifts besides.</summary>
    public decimal PricePerGpu(Machine machine, DateTimeOffset now)
    {
        // Hosts change prices now and then, not continuously, and not all at the same moment.
        var step = PriceStep.TotalSeconds;
        var phase = dice.Roll("price phase", machine.Index) * step;
        var time = (Math.Floor((Seconds(now) - phase) / step) * step) + phase;
        var daily = 0.055 * Math.Sin(2 * Math.PI * ((time / Day) - 0.42));
        var weekly = 0.035 * Math.Sin(2 * Math.PI * ((time / (7 * Day)) - 0.3));
        var model = 0.06 * dice.Drift("model drift", StableHash(machine.Gpu), time, 2.5 * Day);
        var host = 0.045 * dice.Drift("host drift", machine.Index, time, Day / 3);
        return Math.Round(machine.TypicalPrice * (decimal)(1 + daily + weekly + model + host), 4, MidpointRounding.ToEven);
    }

    /// <summary>Counts up whenever other renters come and go on a machine, which also relists what is left under new ids.</summary>
    public long Epoch(Machine machine, DateTimeOffset now)
    {
        var phase = dice.Roll("rival phase", machine.Index) * RivalStay.TotalSeconds;
        return (long)Math.Floor((Seconds(now) - phase) / RivalStay.TotalSeconds);
    }

    /// <summary>The GPUs (a bit each) that other renters hold on a machine now.</summary>
    public uint RentedByOthers(Machine machine, DateTimeOffset now)
    {
        var epoch = Epoch(machine, now);
        return dice.Roll("rival", machine.Index, epoch) < 0.28 ? dice.Pick(machine.Slices, "rival slice", machine.Index, epoch).Gpus : 0;
    }

    /// <summary>The highest bid of other renters on a machine, USD per GPU-hour; zero when nobody bids.</summary>
    public decimal RivalBid(Machine machine, DateTimeOffset now)
    {
        var phase = dice.Roll("bidder phase", machine.Index) * BidderStay.TotalSeconds;
        var epoch = (long)Math.Floor((Seconds(now) - phase) / BidderStay.TotalSeconds);
        return dice.Roll("bidder", machine.Index, epoch) < 0.3
            ? Math.Round(machine.TypicalPrice * machine.BidShare * (decimal)dice.Between(0.8, 1.5, "rival bid", machine.Index, epoch), 4, MidpointRounding.ToEven)
            : 0;
    }

    // Measured from the first day of the market, so that epochs are small enough to be part of an id.
    private static double Seconds(DateTimeOffset now) => (now - MarketCalendar.FirstDay).TotalSeconds;

    private static long StableHash(GpuModel gpu) => (gpu.Name.Aggregate(17L, (hash, letter) => (hash * 31) + letter) * 1000) + gpu.VramGib;
}

/// <summary>The day from which the market counts time.</summary>
internal static class MarketCalendar
{
    public static readonly DateTimeOffset FirstDay = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
}
