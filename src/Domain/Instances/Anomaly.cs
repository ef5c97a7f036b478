using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Instances;

/// <summary>What about a machine is not as agreed or expected.</summary>
public enum AnomalyKind
{
    RateAboveQuote,
    WrongRental,
    TrafficSpike,
    IdleGpu,
}

/// <param name="What">After the job's name: what is wrong.</param>
/// <param name="Detail">Which number is off, and against what.</param>
/// <param name="AtRisk">What goes on being spent an hour because of it.</param>
public sealed record Anomaly(AnomalyKind Kind, string What, Said Detail, HourlyRate AtRisk);

/// <summary>Finds what is off about a machine that is in use, from what its provider and its program said last.</summary>
public static class AnomalyRules
{
    /// <summary>A GPU below it does nothing that could be called training, percent.</summary>
    public const decimal IdleBelow = 5;

    /// <summary>Loading data and evaluating leave the GPU idle for moments.</summary>
    private static readonly TimeSpan IdleFor = TimeSpan.FromMinutes(10);

    /// <summary>Downloads and installations leave it idle for longer, and are paid for all the same.</summary>
    private static readonly TimeSpan IdleWhilePreparing = TimeSpan.FromMinutes(30);

    /// <summary>Providers round rates.</summary>
    private const decimal RateTolerance = 1.02m;

    /// <summary>Traffic is estimated from sizes; so many times the estimate is another matter.</summary>
    private const int TrafficTimes = 3;

    /// <summary>Less is not worth a line.</summary>
    private static readonly Money LeastTraffic = Money.FromUsd(0.25m);

    public static IEnumerable<Anomaly> Of(Instance machine, Job job, Attempt attempt, DateTimeOffset now)
    {
        if (machine.Status is not (InstanceStatus.Ready or InstanceStatus.Running or InstanceStatus.Draining))
        {
            yield break; // before, booting itself refuses what was not agreed; after, it is being destroyed
        }

        var quoted = machine.QuotedGpuRate + machine.QuotedDiskRate;
        if (machine.Rental == RentalType.OnDemand && machine.ObservedRate is { } listed && listed.MicrosPerHour > quoted.MicrosPerHour * RateTolerance)
        {
            var more = new HourlyRate(listed.MicrosPerHour - quoted.MicrosPerHour);
            yield return new Anomaly(AnomalyKind.RateAboveQuote, "bills above its quote", Said.Money($"The provider lists {listed.Words()}; {quoted.Words()} was quoted, {more.Words()} less.", "The provider lists more than it quoted."), more);
        }

        if (machine.ObservedRental is { } rental && rental != machine.Rental)
        {
            yield return new Anomaly(
                AnomalyKind.WrongRental, "is rented another way than asked",
                rental == RentalType.Interruptible
                    ? "Asked for on demand, listed as a bid: another renter may take the machine away at any time."
                    : "Asked for as a bid, listed as on demand: it may cost more than a bid does.",
                machine.BurnRate);
        }

        var moved = UsageMeter.Traffic(attempt.BytesDown, machine.DownloadPerGb) + UsageMeter.Traffic(attempt.BytesUp, machine.UploadPerGb);
        var expected = JobEstimator.Traffic(job.Spec, machine.DownloadPerGb, machine.UploadPerGb);
        if (moved >= LeastTraffic && moved.Micros > TrafficTimes * expected.Micros)
        {
            yield return new Anomaly(
                AnomalyKind.TrafficSpike, "moves far more bytes than expected",
                $"{Gigabytes(attempt.BytesDown + attempt.BytesUp)} went over the wire" + Said.Money($" for {moved.Words()}; {expected.Words()} was expected.", ", far more than was expected."), HourlyRate.Zero);
        }

        if (IsIdle(machine, attempt, now) is { } idle)
        {
            yield return new Anomaly(
                AnomalyKind.IdleGpu, "pays for an idle GPU",
                string.Create(CultureInfo.InvariantCulture, $"GPU use has been below {IdleBelow:0}% for {(int)idle.TotalMinutes} min, and no step was made") + Said.Money($"; {machine.GpuRate.For(idle).Words()} for nothing so far.", "."),
                machine.BurnRate);
        }
    }

    private static TimeSpan? IsIdle(Instance machine, Attempt attempt, DateTimeOffset now)
    {
        if (machine.Status != InstanceStatus.Running || machine.IdleSince is not { } idleSince)
        {
            return null;
        }

        // A program that makes steps without its GPU is slow, not idle; one that tells of no steps is judged by the GPU alone.
        var since = attempt.Step is not null && attempt.Health.MovedAt > idleSince ? attempt.Health.MovedAt.Value : idleSince;
        var patience = attempt.Phase is null or "train" ? IdleFor : IdleWhilePreparing;
        return now - since >= patience ? now - since : null;
    }

    private static string Gigabytes(long bytes) => (bytes / 1e9m).ToString("0.0", CultureInfo.InvariantCulture) + " GB";
}
