using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Costs;

/// <summary>
/// Reads the bill of one connection and brings the ledger to it: per machine and kind, by entries that are added. Reading
/// costs nothing and may be repeated; what was posted stands in the same transaction as the line that asked for it, so a
/// crash or a second reader posts nothing twice. Nothing is ever destroyed from here.
/// </summary>
public sealed partial class ReconcileBill(
    AppDatabase database, IMarketplaces marketplaces, InstanceLabels labels, ChangeFeed changes, IOptions<ReconciliationOptions> options, TimeProvider time, ILogger<ReconcileBill> log)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan InThePast = TimeSpan.FromHours(1); // charges of the last hour may still grow

    /// <summary>Connections whose bill is due: by the clock, or because a machine has ended since it was read.</summary>
    public async Task<IReadOnlyList<ConnectionId>> DueAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var ended = now - options.Value.AfterEnd;
        await using var db = await database.ForSystemAsync(ct);
        return await (from c in db.Connections.AsNoTracking()
                      where c.Status != ConnectionStatus.Removed && db.Ledger.Any(e => e.ConnectionId == c.Id)
                      let reading = db.BillReadings.FirstOrDefault(r => r.ConnectionId == c.Id)
                      where reading == null || reading.NextAt <= now
                          || (reading.ReadAt <= ended && db.Instances.Any(i => i.ConnectionId == c.Id && i.Status == InstanceStatus.Gone && i.GoneAt > reading.ReadAt && i.GoneAt <= ended))
                      select c.Id).ToListAsync(ct);
    }

    /// <returns>False: another reader is at it.</returns>
    public async Task<bool> RunAsync(ConnectionId id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForSystemAsync(ct);
        var connection = await db.Connections.AsNoTracking().SingleAsync(c => c.Id == id, ct);
        if (await ClaimAsync(db, connection, now, ct) is not { } fence)
        {
            return false;
        }

        string? failure = null;
        try
        {
            var market = marketplaces.For(connection);
            foreach (var month in await MonthsAsync(db, id, now, ct))
            {
                await ReadMonthAsync(connection, market, month, fence, ct);
            }
        }
        catch (MarketplaceException fault)
        {
            failure = fault.Message; // nothing is known about the bill: lines keep their state and their age
            NotRead(id.Value, fault.Message);
        }

        var waits = failure is null && await WaitsAsync(db, id, now, ct);
        var next = time.GetUtcNow() + (waits ? options.Value.AfterEnd : options.Value.Every);
        await db.BillReadings.Where(r => r.ConnectionId == id && r.Fence == fence).ExecuteUpdateAsync(
            set => set.SetProperty(r => r.LeaseUntil, (DateTimeOffset?)null).SetProperty(r => r.NextAt, next).SetProperty(r => r.Failure, failure)
                .SetProperty(r => r.ReadAt, r => failure == null ? now : r.ReadAt), CancellationToken.None);
        changes.Publish(connection.TeamId);
        return true;
    }

    private static async Task<long?> ClaimAsync(AppDbContext db, Connection connection, DateTimeOffset now, CancellationToken ct)
    {
        if (!await db.BillReadings.AnyAsync(r => r.ConnectionId == connection.Id, ct))
        {
            try
            {
                db.BillReadings.Add(new BillReading { ConnectionId = connection.Id, TeamId = connection.TeamId, NextAt = now });
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException) when (!ct.IsCancellationRequested)
            {
                // somebody else made it; the claim below decides
            }

            db.ChangeTracker.Clear();
        }

        var fence = await db.BillReadings.Where(r => r.ConnectionId == connection.Id).Select(r => r.Fence).SingleAsync(ct);
        var until = now + Lease;
        var claimed = await db.BillReadings.Where(r => r.ConnectionId == connection.Id && r.Fence == fence && (r.LeaseUntil == null || r.LeaseUntil < now))
            .ExecuteUpdateAsync(set => set.SetProperty(r => r.LeaseUntil, until).SetProperty(r => r.Fence, fence + 1), ct);
        return claimed == 0 ? null : fence + 1;
    }

    /// <summary>Months with use that are open, watched, or were never read.</summary>
    private async Task<IReadOnlyList<BillMonth>> MonthsAsync(AppDbContext db, ConnectionId id, DateTimeOffset now, CancellationToken ct)
    {
        var metered = db.Ledger.Where(e => e.ConnectionId == id && e.Kind != ChargeKind.Adjustment);
        if (await metered.MinAsync(e => (DateTimeOffset?)e.PeriodStart, ct) is not { } first)
        {
            return [];
        }

        var read = await db.BillLines.Where(l => l.ConnectionId == id).Select(l => l.Month).Distinct().ToListAsync(ct);
        var months = new List<BillMonth>();
        for (var month = BillMonth.Of(first); month.Start <= now; month = BillMonth.Of(month.End))
        {
            if (now < month.End + options.Value.Watch || !read.Contains(month.Start))
            {
                months.Add(month);
            }
        }

        return months;
    }

    private async Task ReadMonthAsync(Connection connection, IMarketplace market, BillMonth month, long fence, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var over = now >= month.End + InThePast;
        var until = over ? month.End : now;
        var charges = await market.GetChargesAsync(month.Start, over ? until.AddSeconds(-1) : until, ct);

        // Of a machine that lives only whole days that are past are compared: providers keep charges by the day.
        var midnight = new DateTimeOffset((now - InThePast).UtcDateTime.Date, TimeSpan.Zero);
        await using var db = await database.ForSystemAsync(ct);
        var lives = !over && midnight > month.Start && await LivingAsync(db, connection.Id, midnight, ct);
        var past = lives ? await market.GetChargesAsync(month.Start, midnight.AddSeconds(-1), ct) : [];

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var reading = await db.BillReadings.SingleAsync(r => r.ConnectionId == connection.Id, ct);
        if (reading.Fence != fence)
        {
            return; // we were too slow
        }

        var rows = await MachinesAsync(db, connection.Id, month, charges, ct);
        var (settling, living) = (rows.Where(r => over || Ended(r) is not null).ToList(), rows.Where(r => !over && Ended(r) is null).ToList());
        var known = living.SelectMany(r => (string?[])[r.ContractId, r.Label]).OfType<string>().ToHashSet();
        var found = BillRules.Compare(
            await UsesAsync(db, settling, month, month.End, ct), known, charges, new BillWindow(month.Start, until, now), label => labels.Verify(label) is not null);
        var lines = found.Lines;
        if (lives)
        {
            var partly = BillRules.Compare(await UsesAsync(db, living, month, midnight, ct), known, past, new BillWindow(month.Start, midnight, now), _ => false);
            lines = [.. lines, .. partly.Lines];
        }

        await TakeAsync(db, connection, rows, month, lines, now, ct);
        await RememberAsync(db, connection, month, found.Forgotten, now, ct);
        if (month.Includes(now))
        {
            (reading.ForeignCount, reading.ForeignAmount) = (found.Foreign.Count, found.Foreign.Aggregate(Money.Zero, (sum, f) => sum + f.Amount));
        }

        BudgetBook.Accrue(db, now); // a correction is spent money like any other
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
    }

    private static async Task<bool> LivingAsync(AppDbContext db, ConnectionId id, DateTimeOffset before, CancellationToken ct) => await db.Instances.AnyAsync(
        i => i.ConnectionId == id && i.BillingSince < before && i.Status != InstanceStatus.Gone && i.Status != InstanceStatus.Rejected, ct);

    /// <summary>Machines with entries in the month, and those the charges name.</summary>
    private async Task<List<Instance>> MachinesAsync(AppDbContext db, ConnectionId id, BillMonth month, IReadOnlyList<ProviderCharge> charges, CancellationToken ct)
    {
        var (start, end) = (month.Start, month.End);
        var contracts = charges.Select(c => c.ContractId).Distinct().ToList();
        var named = charges.Select(c => labels.Verify(c.Label)).OfType<InstanceId>().Distinct().ToList();
        return await db.Instances.AsNoTracking().Where(i => i.ConnectionId == id
            && (named.Contains(i.Id) || (i.ContractId != null && contracts.Contains(i.ContractId))
                || db.Ledger.Any(e => e.InstanceId == i.Id && e.Kind != ChargeKind.Adjustment && e.PeriodStart >= start && e.PeriodStart < end))).ToListAsync(ct);
    }

    private static DateTimeOffset? Ended(Instance i) => i.Status switch
    {
        InstanceStatus.Gone => i.DestroyAcceptedAt ?? i.GoneAt,
        InstanceStatus.Rejected => i.SentAt ?? i.CreatedAt,
        _ => null,
    };

    /// <summary>What was metered of them in the month, up to <paramref name="until"/>; an entry across it counts by its share.</summary>
    private static async Task<IReadOnlyList<BilledMachine>> UsesAsync(AppDbContext db, List<Instance> machines, BillMonth month, DateTimeOffset until, CancellationToken ct)
    {
        var (start, end, ids) = (month.Start, month.End < until ? month.End : until, machines.Select(m => m.Id).ToList());
        var entries = db.Ledger.AsNoTracking().Where(e => ids.Contains(e.InstanceId) && e.Kind != ChargeKind.Adjustment && e.PeriodStart >= start && e.PeriodStart < end);
        var whole = until >= month.End;
        var sums = await entries.Where(e => whole || e.PeriodEnd <= end)
            .Select(e => new { e.InstanceId, e.Kind, From = (long)(object)e.PeriodStart, Until = (long)(object)e.PeriodEnd, e.Rate.MicrosPerHour, e.Amount.Micros })
            .GroupBy(e => new { e.InstanceId, e.Kind })
            .Select(g => new { g.Key.InstanceId, g.Key.Kind, From = g.Min(e => e.From), Until = g.Max(e => e.Until), Rate = g.Max(e => e.MicrosPerHour), Micros = g.Sum(e => e.Micros) })
            .ToListAsync(ct);
        var uses = sums.ToDictionary(
            s => (s.InstanceId, s.Kind),
            s => new MeteredUse(s.Kind, new Money(s.Micros), DateTimeOffset.FromUnixTimeMilliseconds(s.From), DateTimeOffset.FromUnixTimeMilliseconds(s.Until), new HourlyRate(s.Rate)));
        foreach (var cut in whole ? [] : await entries.Where(e => e.PeriodEnd > end && (e.Kind == ChargeKind.Gpu || e.Kind == ChargeKind.Disk)).ToListAsync(ct))
        {
            var part = new Money((long)decimal.Round(cut.Amount.Micros * (decimal)(end - cut.PeriodStart).Ticks / (cut.PeriodEnd - cut.PeriodStart).Ticks, MidpointRounding.ToEven));
            uses[(cut.InstanceId, cut.Kind)] = uses.TryGetValue((cut.InstanceId, cut.Kind), out var use)
                ? use with { Amount = use.Amount + part, Until = end }
                : new MeteredUse(cut.Kind, part, cut.PeriodStart, end, cut.Rate);
        }

        return [.. machines.Select(m => new BilledMachine(m.Id, m.ContractId, m.Label, Ended(m), [.. uses.Where(u => u.Key.InstanceId == m.Id).Select(u => u.Value)]))];
    }

    private static async Task TakeAsync(AppDbContext db, Connection connection, List<Instance> machines, BillMonth month, IReadOnlyList<BillFinding> found, DateTimeOffset now, CancellationToken ct)
    {
        var ids = machines.Select(m => m.Id).ToList();
        var lines = (await db.BillLines.Where(l => l.Month == month.Start && ids.Contains(l.InstanceId)).ToListAsync(ct)).ToDictionary(l => (l.InstanceId, l.Kind));
        foreach (var finding in found)
        {
            if (!lines.TryGetValue((finding.Instance, finding.Kind), out var line))
            {
                line = new BillLine
                {
                    TeamId = connection.TeamId, ConnectionId = connection.Id, Market = connection.Market, InstanceId = finding.Instance, Kind = finding.Kind, Month = month.Start,
                    State = BillState.NotReported, Cause = DifferenceCause.None, CheckedAt = now,
                };
                db.BillLines.Add(line);
            }

            line.Take(finding, now);
            var due = finding.Due(line.Adjusted);
            if (due != Money.Zero)
            {
                await CorrectAsync(db, connection, machines.Single(m => m.Id == finding.Instance), line, due, month, now, ct);
            }
        }
    }

    private static async Task CorrectAsync(AppDbContext db, Connection connection, Instance machine, BillLine line, Money due, BillMonth month, DateTimeOffset now, CancellationToken ct)
    {
        var (start, end, kind) = (month.Start, month.End, line.Kind);
        var last = await db.Ledger.AsNoTracking().Where(e => e.InstanceId == machine.Id && e.Kind == kind && e.PeriodStart >= start && e.PeriodStart < end)
            .OrderByDescending(e => e.PeriodStart).ThenByDescending(e => e.Id).Select(e => new { e.Id, e.PeriodStart, e.PeriodEnd }).FirstOrDefaultAsync(ct);
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == machine.JobId, ct);
        var from = month.Place(last?.PeriodStart ?? line.TheirFrom ?? machine.CreatedAt, now);
        var until = last is not null && from == last.PeriodStart ? last.PeriodEnd : from;
        db.Ledger.Add(new LedgerEntry
        {
            TeamId = line.TeamId,
            Market = connection.Market,
            ConnectionId = connection.Id,
            InstanceId = machine.Id,
            JobId = machine.JobId,
            AttemptId = machine.AttemptId,
            ProjectId = job.ProjectId,
            PersonId = job.CreatedBy,
            Tags = job.Tags,
            GpuName = machine.GpuName,
            Kind = ChargeKind.Adjustment,
            PeriodStart = from,
            PeriodEnd = until,
            Rate = HourlyRate.Zero,
            Quantity = 0,
            Amount = due,
            CorrectsId = last?.Id,
            CorrectsKind = kind,
            CorrectsMonth = month.Start,
            Reason = Reason(connection.Market, line, due, month, now),
            PostedAt = now,
        });
        line.Adjusted += due;
    }

    private static string Reason(Market market, BillLine line, Money due, BillMonth month, DateTimeOffset now)
    {
        var what = line.Kind switch
        {
            ChargeKind.Gpu => "GPU time",
            ChargeKind.Disk => "disk",
            ChargeKind.Download => "traffic in",
            ChargeKind.Upload => "traffic out",
            ChargeKind.Adjustment => "other",
        };
        var metered = line.Adjusted == Money.Zero ? $"we metered {line.Ours.Words()}" : $"we had {(line.Theirs - due).Words()} with earlier corrections";
        var when = now >= month.FinalAt ? string.Create(CultureInfo.InvariantCulture, $" for {month.Start:MMMM yyyy}, which was final") : "";
        return $"{market.Name} charged {line.Theirs.Words()} for {what}{when}; {metered}";
    }

    private static async Task RememberAsync(AppDbContext db, Connection connection, BillMonth month, IReadOnlyList<UnknownCharges> forgotten, DateTimeOffset now, CancellationToken ct)
    {
        var known = await db.ForgottenRentals.Where(f => f.ConnectionId == connection.Id && f.Month == month.Start).ToDictionaryAsync(f => f.ContractId, ct);
        foreach (var rental in forgotten)
        {
            if (known.TryGetValue(rental.ContractId, out var row))
            {
                var grew = row.Amount != rental.Amount;
                (row.Amount, row.From, row.Until) = (rental.Amount, rental.From, rental.Until);
                if (!grew)
                {
                    continue; // said once; it speaks up again when it costs more
                }
            }
            else
            {
                db.ForgottenRentals.Add(new ForgottenRental
                {
                    TeamId = connection.TeamId, ConnectionId = connection.Id, Market = connection.Market, ContractId = rental.ContractId, Label = rental.Label!, Month = month.Start,
                    Amount = rental.Amount, From = rental.From, Until = rental.Until, SeenAt = now,
                });
            }

            InboxWriter.Open(
                db, connection.TeamId, InboxKinds.ForgottenRental, $"forgotten/{connection.Id}/{rental.ContractId}",
                $"{connection.Market.Name} charged {rental.Amount.Words()} for machine {rental.ContractId}, which carries our label and is in no record here",
                "It may have been rented before a backup was restored. It is not destroyed by itself; if it still runs, end it at the provider.",
                "/costs/reconcile#forgotten", "See the charges", now);
        }
    }

    /// <summary>Whether a machine has ended whose charges are only some minutes late.</summary>
    private static async Task<bool> WaitsAsync(AppDbContext db, ConnectionId id, DateTimeOffset now, CancellationToken ct)
    {
        var recently = now - InThePast;
        return await db.Instances.AnyAsync(
            i => i.ConnectionId == id && i.Status == InstanceStatus.Gone && i.GoneAt > recently
                && db.Ledger.Any(e => e.InstanceId == i.Id && e.Kind != ChargeKind.Adjustment)
                && !db.BillLines.Any(l => l.InstanceId == i.Id && l.Settled), ct);
    }

    [LoggerMessage(EventId = 2501, Level = LogLevel.Warning, Message = "The bill of connection {ConnectionId} could not be read: {Reason}")]
    private partial void NotRead(Guid connectionId, string reason);
}
