using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Jobs;

/// <summary>What a job would cost on an offer, from published speeds. Every figure is a range: hosts and networks vary.</summary>
public static class JobEstimator
{
    // A first estimate of time on somebody else's machine: measured runs lie within these factors.
    private const decimal LowFactor = 0.6m;
    private const decimal HighFactor = 1.7m;

    private static readonly TimeSpan Boot = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan SetUpAndCollect = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan DefaultCommandTime = TimeSpan.FromHours(1);

    /// <summary>Compressed size of an image nobody has measured yet, decimal gigabytes.</summary>
    private const decimal UnknownImageGb = 4m;

    /// <summary>Cost and time of <paramref name="spec"/> on <paramref name="offer"/>. GPU time is not billed while the machine boots; disk is.</summary>
    /// <param name="maxRuntime">The person's own limit, the best guess there is for a script of their own.</param>
    public static CostEstimate Estimate(TrainingSpec spec, Offer offer, TimeSpan? maxRuntime)
    {
        var boot = BootTime(spec, offer);
        var running = RunTime(spec, maxRuntime) + SetUpAndCollect;
        Money Cost(decimal factor) => offer.GpuRate.For(running * (double)factor) + offer.DiskRate.For((boot + running) * (double)factor);

        return new CostEstimate(Cost(LowFactor), Cost(1), Cost(HighFactor), boot + running);
    }

    /// <summary>From rent to an answer over SSH: the host's own start and the image.</summary>
    public static TimeSpan BootTime(TrainingSpec spec, Offer offer) => Boot + ImagePull(spec.Image, offer);

    /// <summary>Time of the program itself.</summary>
    public static TimeSpan RunTime(TrainingSpec spec, TimeSpan? maxRuntime)
    {
        if (spec.Command is not null)
        {
            return maxRuntime ?? DefaultCommandTime;
        }

        // Measured on one core: 0.027 s a step at hidden 32 and 0.039 s at 48, both with batch 128; linear in the batch.
        var secondsPerStep = (0.045m * spec.Train.Batch / 128m) + spec.PaceS;
        return TimeSpan.FromSeconds((double)((spec.Train.MaxSteps ?? 900) * secondsPerStep));
    }

    /// <summary>Download at six tenths of the advertised bandwidth, then unpacking 2.5 times the size at the disk's speed.</summary>
    private static TimeSpan ImagePull(string image, Offer offer)
    {
        var gigabytes = image.Contains("slim", StringComparison.Ordinal) ? 0.05m : UnknownImageGb;
        var mbps = Math.Clamp(offer.DownloadMbps ?? 200m, 10m, 2000m);
        var unpackMbPerSecond = offer.DiskMbPerSecond > 1500m ? 150m : 60m;
        return TimeSpan.FromSeconds((double)((8000m * gigabytes / (0.6m * mbps)) + (2500m * gigabytes / unpackMbPerSecond)));
    }
}

/// <summary>Puts offers in the order of what the job would cost in the end.</summary>
public static class OfferRanking
{
    /// <summary>Cheapest expected total first. The expectation is divided by the host's reliability: a host that fails one run in ten costs that much more.</summary>
    public static IReadOnlyList<(Offer Offer, CostEstimate Estimate)> Rank(TrainingSpec spec, IEnumerable<Offer> offers, TimeSpan? maxRuntime) =>
        [.. offers
            .Select(offer => (Offer: offer, Estimate: JobEstimator.Estimate(spec, offer, maxRuntime)))
            .OrderBy(quote => quote.Estimate.Expected.Micros / Math.Clamp(quote.Offer.Reliability ?? 0.6m, 0.05m, 1m))
            .ThenBy(quote => quote.Offer.Rate)
            .ThenBy(quote => quote.Offer.Id, StringComparer.Ordinal)];

    /// <summary>The search that finds offers for a job.</summary>
    public static OfferQuery Query(TrainingSpec spec, MachineNeeds needs, HourlyRate? maxRate) => new()
    {
        GpuNames = needs.GpuNames,
        GpuCount = needs.GpuCount,
        MinVramMb = needs.MinVramMb,
        MinReliability = needs.MinReliability,
        MinDownloadMbps = needs.MinDownloadMbps,
        VerifiedOnly = needs.VerifiedOnly,
        DiskGb = spec.DiskGb,
        MaxRate = maxRate,
        MinContract = TimeSpan.FromHours(1),
    };
}
