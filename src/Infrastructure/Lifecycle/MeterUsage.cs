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
        var due = UsageMeter.ChargeDue(i.GpuRate, since, until, i.GpuPostedOfRun);
        if (until <= from)
        {
            return;
        }

        Post(change, ChargeKind.Gpu, from, until, i.GpuRate, Seconds(from, until), due, estimated);
        (i.GpuPostedUntil, i.GpuPostedOfRun) = (until, i.GpuPostedOfRun + due);
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
        var due = UsageMeter.ChargeDue(i.DiskRate, since, until, i.DiskPosted);
        if (until <= from)
        {
            return;
        }

        Post(change, ChargeKind.Disk, from, until, i.DiskRate, Seconds(from, until), due, estimated);
        (i.DiskPostedUntil, i.DiskPosted) = (until, i.DiskPosted + due);
    }

    /// <summary>What went over our own connections, once, when the machine is gone.</summary>
    public static void Traffic(InstanceChange change, DateTimeOffset until)
    {
        var (i, attempt) = (change.Instance, change.Attempt);
        var from = i.BillingSince ?? i.CreatedAt;
        if (attempt.BytesDown > 0)
        {
            Post(change, ChargeKind.Download, from, until, HourlyRate.Zero, attempt.BytesDown, UsageMeter.Traffic(attempt.BytesDown, i.DownloadPerGb), estimated: true);
        }

        if (attempt.BytesUp > 0)
        {
            Post(change, ChargeKind.Upload, from, until, HourlyRate.Zero, attempt.BytesUp, UsageMeter.Traffic(attempt.BytesUp, i.UploadPerGb), estimated: true);
        }
    }

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
