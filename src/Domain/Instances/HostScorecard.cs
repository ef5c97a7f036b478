using Dashboard.Domain.Estimates;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Instances;

/// <summary>One machine that was rented there, as its row and its attempt's tell.</summary>
/// <param name="At">When it was rented.</param>
/// <param name="ReadyAfter">From the rental to its first answer over SSH; null: it never answered.</param>
/// <param name="Ended">Why its attempt ended; null while it lives.</param>
/// <param name="DownloadMbps">Measured by the program, megabits a second.</param>
/// <param name="Speed">Steps per second relative to the estimate: 1 is as estimated.</param>
public sealed record HostRun(DateTimeOffset At, TimeSpan? ReadyAfter, StopReason? Ended, double? DownloadMbps = null, double? Speed = null);

/// <summary>Our own runs on one physical machine. What is old counts less: half after thirty days.</summary>
public sealed record HostScorecard
{
    public static readonly TimeSpan HalfLife = TimeSpan.FromDays(30);

    /// <summary>Older runs weigh next to nothing and are not read.</summary>
    public static readonly TimeSpan Reach = HalfLife * 6;

    /// <summary>Two failures of late are one and a half for the next twelve days.</summary>
    private const double BadFailures = 1.5;

    /// <summary>A host that mostly works is not given up for two bad days.</summary>
    private const double BadShare = 0.25;

    /// <summary>The provider's own score counts like so many runs of ours.</summary>
    private const double ProviderWeight = 3;

    private HostScorecard(IReadOnlyList<HostRun> runs, DateTimeOffset now, double weight, double failures)
    {
        (Runs, _now, _weight, _failures) = (runs, now, weight, failures);
    }

    private readonly DateTimeOffset _now;
    private readonly double _weight;
    private readonly double _failures;

    /// <summary>Newest first.</summary>
    public IReadOnlyList<HostRun> Runs { get; }

    public int Booted => Runs.Count(r => r.ReadyAfter is not null);

    /// <summary>Runs that had a chance to boot and did not.</summary>
    public int BootsFailed => Runs.Count(r => r.ReadyAfter is null && r.Ended == StopReason.StartFailed);

    /// <summary>Runs that the machine itself did not spoil.</summary>
    public int Good => Runs.Count(r => !(r.Ended is { } reason && IsTheHosts(reason)));

    public TimeSpan? ReadyAfter => Median(r => r.ReadyAfter?.TotalSeconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    public double? DownloadMbps => Median(r => r.DownloadMbps);

    public double? Speed => Median(r => r.Speed);

    /// <summary>What the machine spoiled, by reason, the most frequent first.</summary>
    public IReadOnlyList<(StopReason Reason, int Times)> Failures =>
        [.. Runs.Where(r => r.Ended is { } reason && IsTheHosts(reason)).CountBy(r => r.Ended!.Value).Select(c => (c.Key, c.Value)).OrderByDescending(c => c.Value).ThenBy(c => c.Key)];

    /// <summary>It failed us twice of late, and that is not rare for it: others are rented first.</summary>
    public bool IsBad => _failures >= BadFailures && _failures > BadShare * _weight;

    public static HostScorecard? Of(IEnumerable<HostRun> runs, DateTimeOffset now)
    {
        var known = runs.Where(r => r.Ended is not null || r.ReadyAfter is not null).OrderByDescending(r => r.At).ToList();
        return known.Count == 0 ? null : new(known, now, known.Sum(r => Weight(r, now)), known.Where(r => r.Ended is { } reason && IsTheHosts(reason)).Sum(r => Weight(r, now)));
    }

    /// <summary>The offer with the provider's score and its speed test corrected by what we saw there.</summary>
    public Offer Applied(Offer offer)
    {
        var said = (double)(offer.Reliability ?? 0.6m);
        return offer with
        {
            Reliability = (decimal)(((ProviderWeight * said) + (_weight - _failures)) / (ProviderWeight + _weight)),
            DownloadMbps = Wire(offer.DownloadMbps),
        };
    }

    // What a speed test would have to say for an estimate to come true; the host's own counts like three runs of ours.
    private decimal? Wire(decimal? advertised)
    {
        var measured = Runs.Where(r => r.DownloadMbps is > 0).Select(r => (Weight: Weight(r, _now), Log: Math.Log(r.DownloadMbps!.Value / (double)ExpectedTotal.ModelShare))).ToList();
        if (measured.Count == 0)
        {
            return advertised;
        }

        var prior = advertised is > 0 ? ProviderWeight : 0;
        var sum = measured.Sum(r => r.Weight * r.Log) + (prior > 0 ? prior * Math.Log((double)advertised!.Value) : 0);
        return (decimal)Math.Exp(sum / (prior + measured.Sum(r => r.Weight)));
    }

    /// <summary>Whether a machine, and not the program, the price or a person, ended an attempt.</summary>
    public static bool IsTheHosts(StopReason reason) => reason is StopReason.StartFailed or StopReason.HostLost or StopReason.HostKeyChanged;

    private static double Weight(HostRun run, DateTimeOffset now) => Math.Pow(0.5, Math.Max(0, (now - run.At) / HalfLife));

    private double? Median(Func<HostRun, double?> value)
    {
        var sorted = Runs.Select(value).OfType<double>().Order().ToList();
        return sorted.Count == 0 ? null : sorted[sorted.Count / 2];
    }
}
