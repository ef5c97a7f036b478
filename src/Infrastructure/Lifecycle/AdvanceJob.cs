using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Ssh;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>
/// A job's own steps: from submitted to an instance row. Once there is a row, the instance moves the job.
/// The row is committed before anything is rented.
/// </summary>
internal sealed partial class AdvanceJob(
    AppDatabase database,
    IMarketplaces marketplaces,
    IConnectionHealth health,
    InstanceLabels labels,
    InstanceSecrets secrets,
    BudgetHolds holds,
    ResumeJob resume,
    PriceLooks looks,
    RentBan ban,
    LogStore logs,
    ChangeFeed changes,
    LifecycleSignal signal,
    HomeCheckpoints checkpoints,
    Fences fences,
    IOptions<LifecycleOptions> options,
    IOptions<InterruptionOptions> interruption,
    TimeProvider time)
{
    private static readonly TimeSpan NextTry = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RefusedFor = TimeSpan.FromMinutes(5); // after a pause the search goes on with other offers

    public async Task RunAsync(JobId id, RowLease lease)
    {
        await using var db = await database.ForSystemAsync(lease.Lost);
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, lease.Lost);
        var rows = await db.Instances.AsNoTracking().Where(i => i.JobId == id).ToListAsync(lease.Lost);
        if (job.Cancel is null && rows.SingleOrDefault(r => r.AttemptNumber == job.AttemptCount && r.Status == InstanceStatus.Interrupted) is { } kept)
        {
            await SeekAsync(job, kept, rows, lease);
            return;
        }

        if (JobRules.IsFinal(job.Status) || rows.Any(r => r.AttemptNumber == job.AttemptCount && !InstanceRules.IsFinal(r.Status)))
        {
            await ApplyAsync(lease, id, change => change.Job.NextStepAt = null); // its instance moves it
            return;
        }

        if (job.Cancel is not null)
        {
            await ApplyAsync(lease, id, change => change.End(JobStatus.Cancelled, StopReason.CancelledByUser, "Stopped before a machine was rented."));
            return;
        }

        switch (job.Status)
        {
            case JobStatus.Submitted:
                await ApplyAsync(lease, id, change =>
                {
                    if (PriceOrderRules.Waits(change.Job))
                    {
                        Wait(change);
                        return;
                    }

                    change.Job.MoveTo(JobStatus.Provisioning, change.Now);
                    change.Job.NextStepAt = change.Now;
                });
                break;
            case JobStatus.WaitingForPrice:
                await WaitForPriceAsync(job, rows, lease);
                break;
            case JobStatus.Provisioning:
                await ProvisionAsync(job, rows, lease);
                break;
            case JobStatus.Paused:
                await ApplyAsync(lease, id, resume.Run);
                break;
            case JobStatus.AwaitingApproval:
                await ApplyAsync(lease, id, change => change.Job.NextStepAt = change.Job is { Status: JobStatus.AwaitingApproval, Cancel: null } ? null : change.Now); // a person moves it, and may have since we read
                break;
            case JobStatus.Starting or JobStatus.Running or JobStatus.Collecting or JobStatus.Terminating or JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled:
                throw new InvalidOperationException($"Job {job.Number} is {job.Status} without an instance.");
        }
    }

    private async Task ProvisionAsync(Job job, IReadOnlyList<Instance> rows, RowLease lease)
    {
        await using var db = await database.ForSystemAsync(lease.Lost);
        var connection = await db.Connections.AsNoTracking().SingleAsync(c => c.Id == job.ConnectionId, lease.Lost);
        var open = await db.Attempts.AsNoTracking().AnyAsync(a => a.JobId == job.Id && a.Number == job.AttemptCount && a.EndedAt == null, lease.Lost);
        var refused = rows.Where(r => open && r.AttemptNumber == job.AttemptCount && r.Status == InstanceStatus.Rejected).ToList(); // an attempt that ended, as before a pause, is not gone on with
        if (Stop([.. refused.Where(r => IsRecent(r, job))]) is var (reason, what))
        {
            await ApplyAsync(lease, job.Id, change =>
            {
                if (reason == StopReason.NoCapacity)
                {
                    NothingFree(change, what);
                    return;
                }

                change.Job.PausedAtRate = refused.MaxBy(r => r.CreatedAt) is { } last ? last.GpuRate + last.DiskRate : null;
                change.End(JobRules.AfterAttempt(reason, another: false), reason, what);
            });
            return;
        }

        if (connection.Status == ConnectionStatus.Paused || connection.PricesOnly)
        {
            await LaterAsync(job, lease, $"{connection.Name} is {(connection.PricesOnly ? "for prices only" : "paused")} and rents nothing new.", TimeSpan.FromMinutes(1));
            return;
        }

        if (ban.Why is { } why)
        {
            await LaterAsync(job, lease, why, RentBan.LookAgain);
            return;
        }

        try
        {
            var left = await LeftAsync(job, lease.Lost);
            var waits = job.Status == JobStatus.WaitingForPrice;
            var (offer, found) = await FindAsync(job, connection, rows, left, lease.Lost);
            if (offer is not null)
            {
                await WriteIntentAsync(job, connection, offer, openAttempt: refused.Count > 0, lease, waits ? change => Fires(change, offer) : null);
            }
            else if (waits)
            {
                await NotYetAsync(job, connection, rows, left, lease);
            }
            else
            {
                await ApplyAsync(lease, job.Id, change => NothingFree(change, NoOffer(job, found)));
            }
        }
        catch (CredentialRejectedException fault)
        {
            await health.BreakAsync(connection, fault.Message, lease.Lost);
            await ApplyAsync(lease, job.Id, change => change.End(JobStatus.Failed, StopReason.ConnectionBroken, $"{connection.Market.Name} refuses the key ending {connection.KeyEnding}."));
        }
        catch (RateLimitedException fault)
        {
            await LaterAsync(job, lease, MarketplaceMessages.What(fault, connection), fault.RetryAfter ?? NextTry);
        }
        catch (MarketplaceException fault)
        {
            await LaterAsync(job, lease, MarketplaceMessages.What(fault, connection), NextTry);
        }
    }

    /// <summary>Whether the refusals so far end the search.</summary>
    private (StopReason Reason, Said What)? Stop(IReadOnlyList<Instance> refused)
    {
        var last = refused.OrderByDescending(r => r.CreatedAt).FirstOrDefault();
        return last switch
        {
            null => null,
            { EndReason: StopReason.CreditExhausted or StopReason.ConnectionBroken } => (last.EndReason.Value, last.EndMessage!),
            { EndReason: StopReason.StartFailed } => (StopReason.StartFailed, last.EndMessage!),
            _ when refused.Count >= options.Value.OffersPerAttempt => (StopReason.NoCapacity, $"{refused.Count} offers in a row could not be rented. The last one: " + (last.EndMessage ?? "")),
            _ => null,
        };
    }

    /// <summary>A contract that ends before the job could is no offer for it.</summary>
    private OfferQuery Query(Job job, JobLimits limits, RentalType rental)
    {
        var query = OfferRanking.Query(job.Spec, job.Needs, limits.MaxRate, rental);
        var needed = job.Limits.MaxRuntime + options.Value.Drain;
        return needed > query.MinContract ? query with { MinContract = needed } : query;
    }

    /// <summary>Machines of this market that failed a job of this connection of late.</summary>
    private async Task<HashSet<string>> CoolingAsync(AppDbContext db, ConnectionId connection, CancellationToken ct)
    {
        var since = time.GetUtcNow() - options.Value.CoolDown;
        return [.. await db.Instances.AsNoTracking()
            .Where(i => i.ConnectionId == connection && i.ContractId != null && i.CreatedAt > since
                && (i.EndReason == StopReason.StartFailed || i.EndReason == StopReason.HostLost || i.EndReason == StopReason.HostKeyChanged))
            .Select(i => i.MachineId).Distinct().ToListAsync(ct)];
    }

    /// <summary>
    /// The person's own choice while it is there, then the cheapest in total by the provider's score and our own runs there,
    /// machines that failed of late last and those that failed the team twice after them; never an
    /// offer that just refused or a machine that failed this job or took itself away from it.
    /// </summary>
    private IReadOnlyList<(Offer Offer, CostEstimate Estimate)> Usable(Job job, JobLimits limits, IReadOnlyList<Offer> offers, IReadOnlyList<Instance> rows, OwnRuns own, HashSet<string> cooling, TimeSpan left)
    {
        var refused = rows.Where(r => r.Status == InstanceStatus.Rejected && (IsRecent(r, job) || r.CreatedAt > time.GetUtcNow() - RefusedFor)).Select(r => r.OfferId).ToHashSet(StringComparer.Ordinal);
        var failed = rows.Where(r => r.Status != InstanceStatus.Rejected).Select(r => r.MachineId).ToHashSet(StringComparer.Ordinal);
        return [.. OfferRanking.RankRest(job.Spec, offers.Where(offer => job.Order is null || PlausiblePrice.Holds(offer)).Select(offer => InterruptionRules.AsRented(offer, limits)).OfType<Offer>().Select(own.Applied), left)
            .Where(quote => !refused.Contains(quote.Offer.Id) && !failed.Contains(quote.Offer.MachineId))
            .OrderBy(quote => quote.Offer.Id != job.OfferId)
            .ThenBy(quote => own.IsBad(quote.Offer.MachineId))
            .ThenBy(quote => cooling.Contains(quote.Offer.MachineId))];
    }

    /// <summary>What refused before the last pause may be free again.</summary>
    private static bool IsRecent(Instance row, Job job) => row.CreatedAt > (job.EmptySearchAt ?? DateTimeOffset.MinValue);

    private static Said NoOffer(Job job, int found)
    {
        var wish = job.Needs.GpuNames.Count > 0 ? string.Join(" or ", job.Needs.GpuNames) : "machine that fits";
        var limit = PriceOrderRules.Limits(job).MaxRate is { } rate ? Said.Money($" at {rate.Words()} or less", " within its limit") : "";
        return found == 0 ? $"No {wish}" + limit + " is free right now." : $"Every {wish}" + limit + " that is free was tried already.";
    }

    /// <param name="before">Part of the same transaction; false: something has changed, no row is written.</param>
    /// <param name="kept">An outbid machine is kept meanwhile.</param>
    /// <returns>False: nothing was written, for want of the lease or of money beside a machine that is kept.</returns>
    private async Task<bool> WriteIntentAsync(Job job, Connection connection, Offer offer, bool openAttempt, RowLease lease, Func<JobChange, bool>? before = null, bool kept = false)
    {
        var now = time.GetUtcNow();
        var o = options.Value;
        var id = new InstanceId(Guid.CreateVersion7(now));
        var keys = InstanceKeys.Create($"dashboard-{id.Value:N}");
        var bootLimit = JobEstimator.BootTime(job.Spec, offer) * 2;
        var written = await ApplyAsync(lease, job.Id, change =>
        {
            if (before?.Invoke(change) == false)
            {
                return;
            }

            var attempt = openAttempt ? change.Db.Attempts.Single(a => a.JobId == job.Id && a.Number == job.AttemptCount) : null;
            var first = attempt is null;
            attempt ??= new Attempt { Id = new AttemptId(Guid.CreateVersion7(now)), TeamId = job.TeamId, JobId = job.Id, Number = change.Job.AttemptCount + 1, CreatedAt = now };
            var instance = new Instance
            {
                Id = id,
                TeamId = job.TeamId,
                JobId = job.Id,
                AttemptId = attempt.Id,
                AttemptNumber = attempt.Number,
                ConnectionId = connection.Id,
                Label = labels.For(id),
                OfferId = offer.Id,
                MachineId = offer.MachineId,
                GpuName = offer.GpuName,
                GpuCount = offer.GpuCount,
                VramMb = offer.VramMb,
                Location = offer.Location,
                Rental = offer.Rental,
                DiskGb = job.Spec.DiskGb,
                SshPublicKey = keys.PublicKey,
                ProtectedSshKey = secrets.Protect(id, keys.PrivateKey.Reveal()),
                QuotedGpuRate = offer.GpuRate,
                QuotedDiskRate = offer.DiskRate,
                CeilingRate = PriceOrderRules.Limits(change.Job).MaxRate is { } max && max < offer.Rate ? max : offer.Rate,
                GpuRate = offer.GpuRate,
                DiskRate = offer.DiskRate,
                DownloadPerGb = offer.DownloadPerGb,
                UploadPerGb = offer.UploadPerGb,
                BootLimit = bootLimit < o.BootHardMin ? o.BootHardMin : bootLimit > o.BootHardMax ? o.BootHardMax : bootLimit,
                CreatedAt = now,
                NextStepAt = now,
            };
            BudgetBook.OpenOwnLimit(change.Db, change.Job, connection.Market.Simulated, now);
            var hold = holds.Take(change.Db, change.Job, instance, connection.Market.Simulated, startedAt: null, now);
            if (hold.Refused is { } budget)
            {
                if (kept)
                {
                    change.Abandon(); // the machine that is kept may still come back, and is paid for
                    return;
                }

                change.Job.PausedAtRate = offer.Rate;
                BudgetNotices.Reached(change.Db, budget, now);
                change.End(JobStatus.Paused, StopReason.BudgetExhausted, BudgetNotices.DoesNotReach(change.Db, budget, hold.Wanted));
                return;
            }

            if (first)
            {
                change.Job.AttemptCount = attempt.Number;
                change.Db.Attempts.Add(attempt);
            }

            (instance.HeldUntil, instance.RenewHoldAt) = (hold.Until, now + holds.RenewEvery);
            change.Db.Instances.Add(instance);
            (change.Job.NextStepAt, change.Job.Message) = (null, null);
            Fired(change, offer, instance);
            change.Say("chosen", $"Renting {offer.GpuName} in {offer.Location ?? "an unnamed place"}" + Said.Money($" at {offer.Rate.Words()}") + (offer.Rental == RentalType.Interruptible ? ", with a bid." : "."), attempt.Number);
        });
        if (written)
        {
            signal.Wake();
        }

        return written;
    }

    private Task<bool> LaterAsync(Job job, RowLease lease, string message, TimeSpan after) => ApplyAsync(lease, job.Id, change =>
    {
        change.Job.Message = message;
        LookAgain(change, after);
    });

    private async Task<bool> ApplyAsync(RowLease lease, JobId id, Action<JobChange> apply)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(lease.Lost);
        await using var transaction = await db.Database.BeginTransactionAsync(lease.Lost);
        var job = await db.Jobs.SingleAsync(j => j.Id == id, lease.Lost);
        if (!fences.Hold(job.Fence, lease.Fence))
        {
            return false; // too slow: somebody else has claimed it since
        }

        var change = new JobChange(db, job, now);
        apply(change);
        if (change.Abandoned)
        {
            return false;
        }

        if (JobRules.IsFinal(job.Status) || job.Status == JobStatus.Paused)
        {
            BudgetBook.TakeBackPromise(db, id);
        }

        await db.SaveChangesAsync(lease.Lost);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        foreach (var (attempt, line) in change.Lines)
        {
            await logs.AppendOursAsync(id, attempt, line, lease.Lost);
        }

        changes.Publish(job.TeamId, id);
        return true;
    }

    /// <summary>One transaction's view of a job.</summary>
    internal sealed class JobChange(AppDbContext db, Job job, DateTimeOffset now)
    {
        public AppDbContext Db => db;

        public Job Job => job;

        public DateTimeOffset Now => now;

        public List<(int Attempt, string Line)> Lines { get; } = [];

        /// <summary>Whether nothing of it is to be written.</summary>
        public bool Abandoned { get; private set; }

        public void Abandon() => Abandoned = true;

        public void Say(string kind, Said text, int? attempt = null)
        {
            db.JobEvents.Add(new JobEvent { TeamId = job.TeamId, JobId = job.Id, AttemptNumber = attempt, At = now, Kind = kind, Text = text });
            Lines.Add((attempt ?? Math.Max(1, job.AttemptCount), text.Plain)); // a console is one text for all its readers
        }

        /// <summary>The job ends, or pauses, without a living machine.</summary>
        public void End(JobStatus status, StopReason reason, Said what)
        {
            var cost = new Money(db.Ledger.AsNoTracking().Where(e => e.JobId == job.Id).Sum(e => e.Amount.Micros));
            foreach (var open in db.Attempts.Where(a => a.JobId == job.Id && a.EndedAt == null))
            {
                (open.EndedAt, open.StopReason, open.Message) = (now, reason, what);
            }

            job.MoveTo(status, now);
            (job.StopReason, job.NextStepAt, job.Message) = (reason, status == JobStatus.Paused ? now + ResumeJob.FirstLook : null, Endings.Message(reason, what, cost));
            Say("ended", what + Endings.ItCost(cost));
            Outbox.JobEnded(db, job, now);
            if (job.Ask is not null)
            {
                InboxWriter.Resolve(db, job.TeamId, Approvals.InboxKey(job.Id), now);
            }

            if (status is JobStatus.Failed or JobStatus.Paused)
            {
                var (action, path) = status == JobStatus.Paused ? ("See job", $"/jobs/{job.Number}") : EndingActions.InInbox(reason, job.Number);
                InboxWriter.Open(db, job.TeamId, "job-failed", $"job/{job.Id}", $"{job.Name} #{job.Number} {(status == JobStatus.Failed ? "failed" : "is paused")}", job.Message, path, action, now);
            }
        }
    }
}
