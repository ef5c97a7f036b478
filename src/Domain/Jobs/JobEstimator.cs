using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Jobs;

/// <summary>What a job would cost on an offer, from published speeds. Every figure is a range: hosts and networks vary.</summary>
public static class JobEstimator
{
    private static readonly TimeSpan DefaultCommandTime = TimeSpan.FromHours(1);

    /// <summary>Compressed size of an image nobody has measured yet, decimal gigabytes.</summary>
    private const decimal UnknownImageGb = 4m;

    /// <summary>Cost and time of <paramref name="spec"/> on <paramref name="offer"/>. GPU time is not billed while the machine boots; disk is.</summary>
    /// <param name="maxRuntime">The person's own limit, the best guess there is for a script of their own.</param>
    public static CostEstimate Estimate(TrainingSpec spec, Offer offer, TimeSpan? maxRuntime) => InBrief(Total(spec, offer, maxRuntime));

    /// <summary>The same with its parts.</summary>
    public static ExpectedTotal Total(TrainingSpec spec, Offer offer, TimeSpan? maxRuntime) =>
        ExpectedTotal.Of(new Workload(ImageGb(spec.Image), RunTime(spec, maxRuntime)) { IsEstimated = spec.Command is null }, offer);

    /// <summary>The same for what is left of a run.</summary>
    internal static ExpectedTotal Rest(TrainingSpec spec, Offer offer, TimeSpan left) => ExpectedTotal.Of(new Workload(ImageGb(spec.Image), left), offer);

    /// <summary>From rent to an answer over SSH: the host's own start and the image.</summary>
    public static TimeSpan BootTime(TrainingSpec spec, Offer offer) => ExpectedTotal.BootTime(ImageGb(spec.Image), offer);

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

    /// <summary>What the bytes cost that the job is expected to move: its image in; what goes home is small beside it.</summary>
    public static Money Traffic(TrainingSpec spec, Money downloadPerGb, Money uploadPerGb)
    {
        var work = new Workload(ImageGb(spec.Image), TimeSpan.Zero);
        return Money.FromUsd((downloadPerGb.Usd * (work.ImageGb + work.DownloadGb)) + (uploadPerGb.Usd * work.CollectGb));
    }

    /// <summary>Of a built-in trainer; null for a script of a person's own.</summary>
    public static double? SecondsPerStep(TrainingSpec spec) =>
        spec.Command is null && spec.Train.MaxSteps is > 0 and var steps ? RunTime(spec, null).TotalSeconds / steps : null;

    internal static CostEstimate InBrief(ExpectedTotal total) => new(total.Low, total.Total, total.High, total.Duration) { Times = new EstimatedTimes(total.Boot, total.Download, total.Training, total.Collect) };

    private static decimal ImageGb(string image) => image.Contains("slim", StringComparison.Ordinal) ? 0.05m : UnknownImageGb;
}

/// <summary>Puts offers in the order of what the job would cost in the end.</summary>
public static class OfferRanking
{
    /// <summary>Cheapest expected total first: a host that fails one run in ten costs that much more.</summary>
    public static IReadOnlyList<(Offer Offer, CostEstimate Estimate)> Rank(TrainingSpec spec, IEnumerable<Offer> offers, TimeSpan? maxRuntime) =>
        [.. ByTotal(offers.Select(offer => (Offer: offer, Total: JobEstimator.Total(spec, offer, maxRuntime)))).Select(quote => (quote.Offer, JobEstimator.InBrief(quote.Total)))];

    /// <summary>The order of <see cref="Rank"/>, for offers whose totals are known.</summary>
    public static IEnumerable<(Offer Offer, ExpectedTotal Total)> ByTotal(IEnumerable<(Offer Offer, ExpectedTotal Total)> quotes) =>
        quotes.OrderBy(quote => quote.Total.Total).ThenBy(quote => quote.Offer.Rate).ThenBy(quote => quote.Offer.Id, StringComparer.Ordinal);

    /// <summary>What the rest of a run would cost on each offer, cheapest first.</summary>
    /// <param name="left">Time the program still needs.</param>
    public static IReadOnlyList<(Offer Offer, CostEstimate Estimate)> RankRest(TrainingSpec spec, IEnumerable<Offer> offers, TimeSpan left) =>
        [.. ByTotal(offers.Select(offer => (Offer: offer, Total: JobEstimator.Rest(spec, offer, left)))).Select(quote => (quote.Offer, JobEstimator.InBrief(quote.Total)))];

    /// <summary>The search that finds offers for a job.</summary>
    public static OfferQuery Query(TrainingSpec spec, MachineNeeds needs, HourlyRate? maxRate, RentalType rental = RentalType.OnDemand) => new()
    {
        GpuNames = needs.GpuNames,
        GpuCount = needs.GpuCount,
        MinVramMb = needs.MinVramMb,
        MinReliability = needs.MinReliability,
        MinDownloadMbps = needs.MinDownloadMbps,
        VerifiedOnly = needs.VerifiedOnly,
        DiskGb = spec.DiskGb,
        Rental = rental,
        MaxRate = maxRate,
        MinContract = TimeSpan.FromHours(1),
    };
}
