using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Estimates;

/// <summary>What a job brings to a machine, does there and takes home. Sizes are decimal gigabytes.</summary>
/// <param name="ImageGb">Container image, compressed.</param>
/// <param name="Running">Time of the program itself on this kind of GPU.</param>
public sealed record Workload(decimal ImageGb, TimeSpan Running)
{
    /// <summary>Model and data that the machine fetches once it runs.</summary>
    public decimal DownloadGb { get; init; }

    /// <summary>Adapter and checkpoints that go home.</summary>
    public decimal CollectGb { get; init; }

    /// <summary>Whether <see cref="Running"/> is our own estimate, which our own runs correct, and not a person's limit or a measured rest.</summary>
    public bool IsEstimated { get; init; }
}

/// <summary>What a job would cost on an offer in the end, by what the money is for. The parts add up to <see cref="Total"/>.</summary>
/// <param name="Boot">Host and image: the GPU is not billed yet, the disk is.</param>
/// <param name="Download">Set-up, model and data on the running machine.</param>
/// <param name="Training">The program itself.</param>
/// <param name="Collect">Files on their way home.</param>
/// <param name="Start">GPU time while it sets up and downloads.</param>
/// <param name="Train">GPU time of the program and of collecting.</param>
/// <param name="DiskAndTraffic">Disk from the rental to the end, and bytes both ways.</param>
/// <param name="Redo">What attempts that the host does not survive would cost besides.</param>
/// <param name="FinishesFirstTry">0 to 1.</param>
public sealed record ExpectedTotal(
    TimeSpan Boot, TimeSpan Download, TimeSpan Training, TimeSpan Collect, Money Start, Money Train, Money DiskAndTraffic, Money Redo, decimal FinishesFirstTry)
{
    private const decimal DefaultMbps = 200m;
    private const decimal ImageShare = 0.6m; // of the host's own speed test, which its GPUs share
    internal const decimal ModelShare = 0.7m;

    /// <summary>A host that nobody has rated yet counts as one that fails two of five runs.</summary>
    private const decimal UnratedReliability = 0.6m;

    private static readonly TimeSpan HostBoot = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan SetUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Finish = TimeSpan.FromSeconds(4);

    /// <summary>Measured runs lie within these factors of <see cref="Training"/>: those of a first estimate, or of our own runs.</summary>
    public (double Low, double High) Band { get; init; } = (TimeEstimate.LowFactor, TimeEstimate.HighFactor);

    /// <summary>Of one attempt that goes well.</summary>
    public Money OneAttempt => Start + Train + DiskAndTraffic;

    /// <summary>What offers are ranked by.</summary>
    public Money Total => OneAttempt + Redo;

    /// <summary>Everything goes well and faster than expected.</summary>
    public Money Low => Scaled(OneAttempt, (decimal)Band.Low);

    public Money High => Scaled(Total, (decimal)Band.High);

    /// <summary>From the rental to the first line of the program.</summary>
    public TimeSpan ReadyAfter => Boot + Download;

    public TimeSpan Duration => Boot + Download + Training + Collect;

    public static ExpectedTotal Of(Workload work, Offer offer)
    {
        var pace = work.IsEstimated ? offer.Pace : null;
        var running = work.Running * (pace?.Factor ?? 1);
        var boot = BootTime(work.ImageGb, offer);
        var download = SetUp + Transfer(work.DownloadGb, ModelShare * Math.Clamp(offer.DownloadMbps ?? DefaultMbps, 10m, 3000m));
        var collect = Finish + Transfer(work.CollectGb, ModelShare * Math.Clamp(offer.UploadMbps ?? DefaultMbps, 10m, 3000m));
        var start = offer.GpuRate.For(download);
        var train = offer.GpuRate.For(running + collect);
        var disk = offer.DiskRate.For(boot + download + running + collect)
            + Scaled(offer.DownloadPerGb, work.ImageGb + work.DownloadGb) + Scaled(offer.UploadPerGb, work.CollectGb);
        var lasts = Math.Clamp(offer.Reliability ?? UnratedReliability, 0.05m, 1m);
        var total = new ExpectedTotal(boot, download, running, collect, start, train, disk, Scaled(start + train + disk, (1m / lasts) - 1m), lasts);
        return pace is null ? total : total with { Band = (pace.Low / pace.Factor, pace.High / pace.Factor) };
    }

    /// <summary>The host's own start and its image: fetched, then unpacked to two and a half times its size at the disk's speed.</summary>
    public static TimeSpan BootTime(decimal imageGb, Offer offer)
    {
        var unpackMbPerSecond = offer.DiskMbPerSecond > 1500m ? 150m : 60m;
        return HostBoot
            + Transfer(imageGb, ImageShare * Math.Clamp(offer.DownloadMbps ?? DefaultMbps, 10m, 2000m))
            + TimeSpan.FromSeconds((double)(2500m * imageGb / unpackMbPerSecond));
    }

    private static TimeSpan Transfer(decimal gigabytes, decimal mbps) => TimeSpan.FromSeconds((double)(8000m * gigabytes / mbps));

    private static Money Scaled(Money amount, decimal factor) => Money.FromUsd(amount.Usd * factor);
}
