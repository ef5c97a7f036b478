using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Persistence;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>The one rent call of an instance row, and settling an unclear answer by looking its label up.</summary>
internal sealed partial class RentInstance(
    InstanceRecords records,
    IMarketplaces marketplaces,
    IConnectionHealth health,
    InstanceSecrets secrets,
    RentBan ban,
    Quarantine quarantine,
    IOptions<LifecycleOptions> options,
    IOptions<DeadManOptions> deadMan,
    Random chance,
    ILogger<RentInstance> log)
{
    private const int MissesToReject = 3;

    public async Task SendAsync(InstanceSnapshot row, RowLease lease)
    {
        var (i, job) = (row.Instance, row.Job);
        if (job.Cancel is not null)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => Reject(change, StopReason.CancelledByUser, "Stopped before it was rented."), lease.Lost);
            return;
        }

        if (job.Order is { Binds: true } order && i.QuotedGpuRate + i.QuotedDiskRate > order.Limit)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => Reject(change, StopReason.NoCapacity, Said.Money($"It costs more than {order.Limit.Words()}. It was not rented, $0.00.", "It costs more than the job waits for. It was not rented.")), lease.Lost);
            return;
        }

        if (ban.Why is { } why)
        {
            await records.ApplyAsync(i.Id, lease.Fence, change => { change.Job.Message = why; change.Again(RentBan.LookAgain); }, lease.Lost);
            return;
        }

        DateTimeOffset sent = default;
        if (!await records.ApplyAsync(i.Id, lease.Fence, change => { change.MoveTo(InstanceStatus.Sent); change.Instance.SentAt = sent = change.Now; }, lease.Lost))
        {
            return;
        }

        await quarantine.NoteRentAsync(sent, lease.Lost);

        // From here on a crash leaves the row in Sent, and the label tells what became of the call.
        var spec = new LaunchSpec
        {
            Label = i.Label,
            Image = job.Spec.Image,
            DiskGb = i.DiskGb,
            OnStart = Bootstrap.Text,
            Environment = Bootstrap.Environment(row.Connection.Market, deadMan.Value.After),
            BidUsdPerHour = i.Rental == RentalType.Interruptible ? i.QuotedGpuRate.Usd : null,
        };
        var result = await marketplaces.For(row.Connection).RentAsync(OfferOf(i), spec, CancellationToken.None);
        if (!await records.ApplyAsync(i.Id, lease.Fence, change => Settle(change, result), CancellationToken.None) && result is RentResult.Rented late)
        {
            await AnswerLateAsync(row, late);
        }

        if (result is RentResult.KeyRefused refused)
        {
            await health.BreakAsync(row.Connection, refused.Reason, lease.Lost);
        }
    }

    /// <summary>A row found in Sent: the process ended between the call and its answer.</summary>
    public Task DoubtAsync(InstanceSnapshot row, RowLease lease) => records.ApplyAsync(row.Instance.Id, lease.Fence, change =>
    {
        if (change.Instance.Status != InstanceStatus.Sent)
        {
            return; // the answer came after all
        }

        change.MoveTo(InstanceStatus.Unknown);
        change.Say("unclear", "The rent call's answer is not known; looking its label up at the provider.");
    }, lease.Lost);

    /// <summary>One look for the label. Found: ours. Not in three complete listings over two minutes: it was never rented.</summary>
    public async Task SettleAsync(InstanceSnapshot row, RowLease lease)
    {
        var i = row.Instance;
        var market = marketplaces.For(row.Connection);
        var found = (await market.FindByLabelAsync(i.Label, lease.Lost)).Instances.OrderBy(o => o.ContractId.Length).ThenBy(o => o.ContractId, StringComparer.Ordinal).ToList();
        foreach (var copy in found.Skip(1).Where(_ => !quarantine.IsOn))
        {
            await market.DestroyAsync(copy.ContractId, lease.Lost); // one call can make one machine only; should it have made more, the rest are nobody's
        }

        var o = options.Value;
        await records.ApplyAsync(i.Id, lease.Fence, change =>
        {
            if (change.Instance.Status != InstanceStatus.Unknown)
            {
                return; // the answer came after all
            }

            if (found.Count > 0)
            {
                Adopt(change, found[0].ContractId, null);
                return;
            }

            // The looks are the clock: a call that took long to fail has used up none of the time in which its machine may show up, nor has a wall clock that jumped.
            change.Instance.LabelMisses++;
            var enough = Math.Max(MissesToReject, 1 + (int)Math.Ceiling(o.LookClosely / o.LookEvery));
            var settled = change.Instance.UnclearLight || change.Instance.LabelMisses >= enough;
            if (settled)
            {
                Reject(change, StopReason.NoCapacity, "The provider did not rent it.");
                if (change.Instance.UnclearLight)
                {
                    change.Job.NextStepAt = change.Now + Pause(change);
                }

                return;
            }

            change.Again(o.LookEvery);
        }, lease.Lost);
    }

    /// <summary>
    /// This process stood still so long over the call that another one took the row: it may not decide any more, but what it
    /// alone knows, the machine's number, the other one looks for. A row that was given up meanwhile has no use for the machine.
    /// </summary>
    private async Task AnswerLateAsync(InstanceSnapshot row, RentResult.Rented late)
    {
        var unwanted = false;
        await records.ApplyAsync(row.Instance.Id, fence: null, change =>
        {
            var i = change.Instance;
            unwanted = InstanceRules.IsFinal(i.Status);
            if (i.Status is InstanceStatus.Sent or InstanceStatus.Unknown)
            {
                Adopt(change, late.ContractId, late.InstanceKey);
            }
            else if (!unwanted && i.ContractId == late.ContractId && late.InstanceKey is { } key)
            {
                i.ProtectedInstanceKey ??= secrets.Protect(i.Id, key.Reveal()); // found by its label, which does not tell the key
            }
        }, CancellationToken.None);
        if (unwanted && !quarantine.IsOn)
        {
            await marketplaces.For(row.Connection).DestroyAsync(late.ContractId, CancellationToken.None);
        }
    }

    /// <summary>A provider that was asked too often is left alone for longer each time; the jitter keeps jobs apart that were refused together.</summary>
    private TimeSpan Pause(InstanceChange change)
    {
        var i = change.Instance;
        var before = change.Db.Instances.Count(r => r.AttemptId == i.AttemptId && r.UnclearLight && r.Id != i.Id);
        return options.Value.PacePause * Math.Pow(2, Math.Min(before, 6)) * (1 + (chance.NextDouble() / 4));
    }

    private void Settle(InstanceChange change, RentResult result)
    {
        switch (result)
        {
            case RentResult.Rented rented:
                Adopt(change, rented.ContractId, rented.InstanceKey);
                Rented(change.Job.Id.Value, rented.ContractId, change.Instance.QuotedGpuRate.MicrosPerHour + change.Instance.QuotedDiskRate.MicrosPerHour);
                break;
            case RentResult.OfferGone:
                Reject(change, StopReason.NoCapacity, $"Somebody took the {change.Instance.GpuName} in {change.Instance.Location ?? "an unnamed place"} first." + Endings.ItCost(Money.Zero));
                break;
            case RentResult.BidTooLow low:
                LeftOver(change, low.Leftover, StopReason.NoCapacity, StopReason.Interrupted, "The bid" + Said.Money($" of {change.Instance.QuotedGpuRate.Words()}") + " was too low: another renter bids more." + Endings.ItCost(Money.Zero));
                break;
            case RentResult.Refused refused:
                LeftOver(change, refused.Leftover, StopReason.StartFailed, StopReason.StartFailed, $"{change.Connection.Market.Name} refused to rent: {refused.Reason}");
                break;
            case RentResult.CreditTooLow low:
                Reject(change, StopReason.CreditExhausted, $"{change.Connection.Market.Name} has too little credit" + Said.Money($": {low.Message}", "."));
                break;
            case RentResult.SpendRateLimited limited:
                Reject(change, StopReason.NoCapacity, $"{change.Connection.Market.Name} limits how fast this account spends" + Said.Money($": {limited.Message}", "."));
                break;
            case RentResult.KeyRefused:
                Reject(change, StopReason.ConnectionBroken, $"{change.Connection.Market.Name} refuses the key ending {change.Connection.KeyEnding}.");
                break;
            case RentResult.Unclear unclear:
                change.Instance.UnclearLight = unclear.Light;
                change.MoveTo(InstanceStatus.Unknown);
                change.Say("unclear", $"The answer to the rent call is unclear ({unclear.Cause}); looking its label up at the provider.");
                break;
        }
    }

    private void Adopt(InstanceChange change, string contractId, Secret? key)
    {
        var i = change.Instance;
        i.ContractId = contractId;
        i.ProtectedInstanceKey = key is null ? null : secrets.Protect(i.Id, key.Reveal());
        (i.BillingSince, i.ProgressAt) = (null, change.Now);
        change.MoveTo(InstanceStatus.Booting);
        change.Say("rented", $"Rented {i.GpuName} as machine {contractId}; it is starting.");
    }

    private static void Reject(InstanceChange change, StopReason reason, Said what)
    {
        (change.Instance.EndReason, change.Instance.EndMessage, change.Instance.ProtectedSshKey) = (reason, what, null);
        change.Say("refused", what);
        change.MoveTo(InstanceStatus.Rejected);
        change.Job.NextStepAt = change.Now;
    }

    /// <summary>A refusal that left a contract behind: it is stopped, bills its disk, and is ours.</summary>
    /// <param name="reason">When nothing was left.</param>
    /// <param name="left">When something was: whatever it was, another offer may do.</param>
    private static void LeftOver(InstanceChange change, string? contractId, StopReason reason, StopReason left, Said what)
    {
        if (contractId is null)
        {
            Reject(change, reason, what);
            return;
        }

        change.Instance.ContractId = contractId;
        change.Instance.BillingSince = change.Instance.SentAt;
        change.Destroy(left, what);
    }

    private static Offer OfferOf(Instance i) => new()
    {
        Id = i.OfferId,
        MachineId = i.MachineId,
        GpuName = i.GpuName,
        GpuCount = i.GpuCount,
        VramMb = i.VramMb,
        Rental = i.Rental,
        GpuRate = i.QuotedGpuRate,
        DiskRate = i.QuotedDiskRate,
        StorageUsdPerGbMonth = 0,
        DownloadPerGb = i.DownloadPerGb,
        UploadPerGb = i.UploadPerGb,
        DiskGb = i.DiskGb,
        Location = i.Location,
    };

    [LoggerMessage(EventId = 2101, Level = LogLevel.Information, Message = "Job {JobId} rented contract {ContractId} at {MicrosPerHour} micro-USD/h")]
    private partial void Rented(Guid jobId, string contractId, long microsPerHour);
}
