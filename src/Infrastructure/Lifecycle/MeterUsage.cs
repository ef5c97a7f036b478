using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// Posts ledger entries from observed intervals: GPU while it runs, disk from the contract's creation to its proven end,
/// traffic as counted. Each entry continues where the last one ended, so a late or a missed tick loses nothing.
/// </summary>
internal static class MeterUsage
{
    /// <summary>GPU time of the current run up to <paramref name="until"/>.</summary>
    public static void Gpu(InstanceChange change, DateTimeOffset until, bool estimated = false)
    {
        var i = change.Instance;
        if (i.RunningSince is not { } since)
        {
            return;
        }

        var from = i.GpuPostedUntil ?? since;
        if (until > from)
        {
            (i.GpuPostedUntil, i.GpuPostedOfRun) = (until, Time(change, ChargeKind.Gpu, since, from, until, i.GpuRate, i.GpuPostedOfRun, estimated));
        }
    }

    /// <summary>A machine that answers runs: where its meter was ended because nobody saw it, it goes on from there.</summary>
    public static void Answers(InstanceChange change)
    {
        if (change.Instance is { RunningSince: null, GpuPostedUntil: { } until, Observed: ObservedStatus.Unreachable or ObservedStatus.Provisioning } i)
        {
            (i.RunningSince, i.RunningSinceWithin, i.GpuPostedOfRun) = (until, null, Money.Zero);
        }
    }

    /// <summary>Disk up to <paramref name="until"/>.</summary>
    public static void Disk(InstanceChange change, DateTimeOffset until, bool estimated = false)
    {
        var i = change.Instance;
        if (i.BillingSince is not { } since)
        {
            return;
        }

        var from = i.DiskPostedUntil ?? since;
        if (until > from)
        {
            (i.DiskPostedUntil, i.DiskPosted) = (until, Time(change, ChargeKind.Disk, since, from, until, i.DiskRate, i.DiskPosted, estimated));
        }
    }

    /// <summary>What went over our own connections, once, when the machine is gone. It counts as used on its last day: a budget's week or month is not over then.</summary>
    public static void Traffic(InstanceChange change, DateTimeOffset until)
    {
        var (i, attempt) = (change.Instance, change.Attempt);
        var (began, day) = (i.BillingSince ?? i.CreatedAt, Midnight(until));
        var from = began > day ? began : day;
        if (attempt.BytesDown > 0)
        {
            Post(change, ChargeKind.Download, from, until, HourlyRate.Zero, attempt.BytesDown, UsageMeter.Traffic(attempt.BytesDown, i.DownloadPerGb), estimated: true);
        }

        if (attempt.BytesUp > 0)
        {
            Post(change, ChargeKind.Upload, from, until, HourlyRate.Zero, attempt.BytesUp, UsageMeter.Traffic(attempt.BytesUp, i.UploadPerGb), estimated: true);
        }
    }

    /// <summary>Posts time, cut at midnights (UTC): weeks and months begin there, and a budget or a statement has what began in its own.</summary>
    /// <param name="since">Where the meter began that <paramref name="posted"/> belongs to.</param>
    /// <returns>What is posted now.</returns>
    private static Money Time(InstanceChange change, ChargeKind kind, DateTimeOffset since, DateTimeOffset from, DateTimeOffset until, HourlyRate rate, Money posted, bool estimated)
    {
        while (from < until)
        {
            var end = Midnight(from).AddDays(1);
            end = end < until ? end : until;
            var due = UsageMeter.ChargeDue(rate, since, end, posted);
            Post(change, kind, from, end, rate, Seconds(from, end), due, estimated);
            (from, posted) = (end, posted + due);
        }

        return posted;
    }

    private static DateTimeOffset Midnight(DateTimeOffset at) => new(at.UtcDateTime.Date, TimeSpan.Zero);

    private static decimal Seconds(DateTimeOffset from, DateTimeOffset until) => (until - from).Ticks / (decimal)TimeSpan.TicksPerSecond;

    private static void Post(InstanceChange change, ChargeKind kind, DateTimeOffset from, DateTimeOffset until, HourlyRate rate, decimal quantity, Money amount, bool estimated)
    {
        var (job, i) = (change.Job, change.Instance);
        change.Db.Ledger.Add(new LedgerEntry
        {
            TeamId = job.TeamId,
            Market = change.Connection.Market,
            ConnectionId = change.Connection.Id,
            InstanceId = i.Id,
            JobId = job.Id,
            AttemptId = change.Attempt.Id,
            ProjectId = job.ProjectId,
            PersonId = job.CreatedBy,
            Tags = job.Tags,
            GpuName = i.GpuName,
            Kind = kind,
            PeriodStart = from,
            PeriodEnd = until,
            Rate = rate,
            Quantity = quantity,
            Amount = amount,
            Estimated = estimated,
            PostedAt = change.Now,
        });
    }
}
