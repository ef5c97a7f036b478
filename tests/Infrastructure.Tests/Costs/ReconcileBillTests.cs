using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Marketplaces;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Tests.Costs;

public sealed class ReconcileBillTests
{
    private const string Begin = "2026-11-10T08:00:00Z";
    private const string End = "2026-11-10T10:30:00Z"; // $1.00 of GPU, $0.03 of disk

    [Fact]
    public async Task The_ledger_is_brought_to_the_bill_by_entries_beside_the_use()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", Begin, End);
        host.Bill.Add(machine, ChargeKind.Gpu, 1.25m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Download, 0.4m, Begin, End);
        var metered = await host.LedgerAsync();

        await host.ReadAsync();

        var corrections = await host.CorrectionsAsync();
        Assert.Equal([(ChargeKind.Gpu, Money.FromUsd(0.25m)), (ChargeKind.Download, Money.FromUsd(0.4m))], corrections.Select(c => (c.CorrectsKind!.Value, c.Amount)));
        Assert.Equal(Money.FromUsd(1.68m), await host.TotalAsync("2026-11-01T00:00:00Z"));
        var gpu = corrections[0];
        var last = metered.Last(e => e.Kind == ChargeKind.Gpu);
        Assert.Equal((last.Id, last.PeriodStart, BillHost.At("2026-11-01T00:00:00Z")), (gpu.CorrectsId!.Value, gpu.PeriodStart, gpu.CorrectsMonth!.Value));
        Assert.Equal("Vast.ai charged $1.25 for GPU time; we metered $1.00", gpu.Reason);
        Assert.Equal((last.JobId, last.ProjectId, last.PersonId, last.AttemptId, last.GpuName), (gpu.JobId, gpu.ProjectId, gpu.PersonId, gpu.AttemptId, gpu.GpuName));
        Assert.Equal(last.Tags, gpu.Tags);
        Assert.Equal(
            [(ChargeKind.Gpu, BillState.Open, DifferenceCause.WrongRate), (ChargeKind.Disk, BillState.Matched, DifferenceCause.None), (ChargeKind.Download, BillState.Explained, DifferenceCause.Traffic)],
            (await host.LinesAsync()).Select(l => (l.Kind, l.State, l.Cause)));
        Assert.Equal(metered.Select(Text), (await host.LedgerAsync()).Where(e => e.Kind != ChargeKind.Adjustment).Select(Text)); // none was changed
    }

    [Fact]
    public async Task Reading_again_posts_nothing_and_a_revised_charge_posts_what_it_was_revised_by()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", Begin, End);
        host.Bill.Add(machine, ChargeKind.Gpu, 1.25m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);
        for (var reading = 0; reading < 5; reading++)
        {
            await host.ReadAsync();
        }

        Assert.Single(await host.CorrectionsAsync());

        host.Bill.Charges[0] = host.Bill.Charges[0] with { Amount = Money.FromUsd(1m) }; // they honoured a claim
        await host.ReadAsync();
        await host.ReadAsync();

        Assert.Equal([Money.FromUsd(0.25m), Money.FromUsd(-0.25m)], (await host.CorrectionsAsync()).Select(c => c.Amount));
        Assert.Equal("Vast.ai charged $1.00 for GPU time; we had $1.25 with earlier corrections", (await host.CorrectionsAsync())[1].Reason);
        Assert.All(await host.LinesAsync(), line => Assert.Equal(BillState.Matched, line.State));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_crash_around_the_commit_loses_nothing_and_posts_nothing_twice(bool before)
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", Begin, End);
        host.Bill.Add(machine, ChargeKind.Gpu, 1.25m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);
        (host.Crash.BeforeCommit, host.Crash.AfterCommit) = (before, !before);

        await Assert.ThrowsAsync<InvalidOperationException>(host.ReadAsync);
        Assert.Equal(before ? 0 : 1, (await host.CorrectionsAsync()).Count);

        (host.Crash.BeforeCommit, host.Crash.AfterCommit) = (false, false);
        Assert.False(await host.ReadAsync()); // the lease of the dead one still stands
        await host.RestartAsync();
        Assert.True(await host.ReadAsync());
        Assert.Equal(Money.FromUsd(0.25m), Assert.Single(await host.CorrectionsAsync()).Amount);
    }

    [Fact]
    public async Task Of_two_readers_at_once_one_reads()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", Begin, End);
        host.Bill.Add(machine, ChargeKind.Gpu, 1.25m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(host.ReadAsync)));

        Assert.Single(await host.CorrectionsAsync());
    }

    [Fact]
    public async Task A_month_that_is_final_never_changes_and_the_next_one_takes_what_came_late()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", Begin, End);
        var before = await host.TotalAsync("2026-11-01T00:00:00Z");
        host.Time.SetUtcNow(BillHost.At("2026-12-03T00:00:00Z"));
        host.Bill.Add(machine, ChargeKind.Gpu, 1.25m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);

        await host.ReadAsync();

        Assert.Equal(before, await host.TotalAsync("2026-11-01T00:00:00Z"));
        Assert.Equal(Money.FromUsd(0.25m), await host.TotalAsync("2026-12-01T00:00:00Z"));
        var correction = Assert.Single(await host.CorrectionsAsync());
        Assert.Equal(BillHost.At("2026-11-01T00:00:00Z"), correction.CorrectsMonth);
        Assert.Equal("Vast.ai charged $1.25 for GPU time for November 2026, which was final; we metered $1.00", correction.Reason);
    }

    [Fact]
    public async Task What_is_not_reported_yet_is_looked_for_again_soon_and_posts_nothing()
    {
        await using var host = await BillHost.StartAsync(End);
        var machine = await host.MachineAsync("51", Begin, End);

        await host.ReadAsync();

        Assert.Empty(await host.CorrectionsAsync());
        Assert.All(await host.LinesAsync(), line => Assert.Equal((BillState.NotReported, false), (line.State, line.Reported)));
        Assert.Empty(await host.Step.DueAsync(default));
        host.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal([host.Connection.Id], await host.Step.DueAsync(default));

        host.Bill.Add(machine, ChargeKind.Gpu, 1.0004m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);
        await host.ReadAsync();
        Assert.All(await host.LinesAsync(), line => Assert.Equal((BillState.Matched, true), (line.State, line.Settled)));
        host.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Empty(await host.Step.DueAsync(default));
        host.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([host.Connection.Id], await host.Step.DueAsync(default));
    }

    [Fact]
    public async Task A_machine_that_ends_makes_the_bill_due()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T10:00:00Z");
        await host.MachineAsync("50", Begin, "2026-11-10T09:00:00Z");
        await host.ReadAsync();
        host.Time.SetUtcNow(BillHost.At("2026-11-10T10:32:00Z"));
        await using (var db = await host.Database.ForSystemAsync(default))
        {
            await db.BillReadings.ExecuteUpdateAsync(set => set.SetProperty(r => r.NextAt, BillHost.At("2026-11-10T12:00:00Z")));
        }

        Assert.Empty(await host.Step.DueAsync(default));
        await host.MachineAsync("51", Begin, End);

        Assert.Equal([host.Connection.Id], await host.Step.DueAsync(default));
    }

    [Fact]
    public async Task A_machine_that_lives_is_confirmed_by_whole_days_that_are_past()
    {
        await using var host = await BillHost.StartAsync("2026-11-12T03:00:00Z");
        var machine = await host.MachineAsync("51", "2026-11-10T20:00:00Z", null, meteredUntil: "2026-11-12T03:00:00Z");
        host.Bill.Add(machine, ChargeKind.Gpu, 0.4m * 31, "2026-11-10T20:00:00Z", "2026-11-12T03:00:00Z");
        host.Bill.Add(machine, ChargeKind.Disk, 0.012m * 31, "2026-11-10T20:00:00Z", "2026-11-12T03:00:00Z");

        await host.ReadAsync();

        var lines = await host.LinesAsync();
        Assert.Equal([(ChargeKind.Gpu, Money.FromUsd(11.2m)), (ChargeKind.Disk, Money.FromUsd(0.336m))], lines.Select(l => (l.Kind, l.Ours)));
        Assert.All(lines, line => Assert.Equal((BillState.Matched, false, BillHost.At("2026-11-12T00:00:00Z")), (line.State, line.Settled, line.ConfirmedUntil!.Value)));
        Assert.Empty(await host.CorrectionsAsync());
    }

    [Fact]
    public async Task A_machine_across_two_months_is_compared_in_each()
    {
        await using var host = await BillHost.StartAsync("2026-12-01T03:00:00Z");
        var machine = await host.MachineAsync("51", "2026-11-30T20:00:00Z", "2026-12-01T02:00:00Z");
        host.Bill.Add(machine, ChargeKind.Gpu, 0.5m * 6, "2026-11-30T20:00:00Z", "2026-12-01T02:00:00Z");
        host.Bill.Add(machine, ChargeKind.Disk, 0.012m * 6, "2026-11-30T20:00:00Z", "2026-12-01T02:00:00Z");

        await host.ReadAsync();

        Assert.Equal([Money.FromUsd(0.4m), Money.FromUsd(0.2m)], (await host.CorrectionsAsync()).OrderBy(c => c.PeriodStart).Select(c => c.Amount));
        Assert.Equal(Money.FromUsd(2.048m), await host.TotalAsync("2026-11-01T00:00:00Z"));
        Assert.Equal(Money.FromUsd(1.024m), await host.TotalAsync("2026-12-01T00:00:00Z"));
    }

    [Fact]
    public async Task A_charge_with_our_label_and_no_row_is_said_once_and_left_alone()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", Begin, End);
        host.Bill.Add(machine, ChargeKind.Gpu, 1m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);
        var lost = host.Labels.For(new InstanceId(Guid.NewGuid()));
        host.Bill.Charges.Add(new ProviderCharge("77", lost, ChargeKind.Disk, Money.FromUsd(0.58m), BillHost.At(Begin), BillHost.At(End)));
        host.Bill.Charges.Add(new ProviderCharge("78", "somebody's", ChargeKind.Gpu, Money.FromUsd(9m), BillHost.At(Begin), BillHost.At(End)));

        await host.ReadAsync();
        await host.ReadAsync();

        await using var db = await host.Database.ForSystemAsync(default);
        var item = await db.Inbox.SingleAsync();
        Assert.Equal(("forgotten-rental", "Vast.ai charged $0.58 for machine 77, which carries our label and is in no record here", "/costs/reconcile#forgotten"), (item.Kind, item.Title, item.Link));
        Assert.Equal(("77", lost, Money.FromUsd(0.58m)), await db.ForgottenRentals.Select(f => ValueTuple.Create(f.ContractId, f.Label, f.Amount)).SingleAsync());
        Assert.Equal((1, Money.FromUsd(9m)), ((await host.ReadingAsync()).ForeignCount, (await host.ReadingAsync()).ForeignAmount));
        Assert.Empty(await host.CorrectionsAsync());
        Assert.DoesNotContain(await host.LedgerAsync(), e => e.InstanceId != machine.Id);

        item.ResolvedAt = host.Time.GetUtcNow();
        await db.SaveChangesAsync();
        await host.ReadAsync();
        Assert.False(await db.Inbox.AnyAsync(i => i.ResolvedAt == null)); // seen to: it does not come back
        host.Bill.Charges[2] = host.Bill.Charges[2] with { Amount = Money.FromUsd(0.9m) };
        await host.ReadAsync();
        Assert.True(await db.Inbox.AnyAsync(i => i.ResolvedAt == null)); // but for more money it does
    }

    [Fact]
    public async Task A_bill_that_cannot_be_read_changes_nothing_and_says_why()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        await host.MachineAsync("51", Begin, End);
        host.Bill.Fault = new ProviderUnavailableException("Vast.ai answered 502.");

        await host.ReadAsync();

        Assert.Equal(("Vast.ai answered 502.", (DateTimeOffset?)null), ((await host.ReadingAsync()).Failure, (await host.ReadingAsync()).ReadAt));
        Assert.Empty(await host.LinesAsync());
    }

    [Fact]
    public async Task A_decision_stands_until_the_figures_change()
    {
        await using var host = await BillHost.StartAsync("2026-11-10T12:00:00Z");
        var machine = await host.MachineAsync("51", Begin, End);
        host.Bill.Add(machine, ChargeKind.Gpu, 1.25m, Begin, End);
        host.Bill.Add(machine, ChargeKind.Disk, 0.03m, Begin, End);
        await host.ReadAsync();
        await using (var db = await host.Database.ForSystemAsync(default))
        {
            await db.BillLines.Where(l => l.Kind == ChargeKind.Gpu).ExecuteUpdateAsync(set => set.SetProperty(l => l.State, BillState.Claimed));
        }

        await host.ReadAsync();
        Assert.Equal(BillState.Claimed, (await host.LinesAsync())[0].State);

        host.Bill.Charges[0] = host.Bill.Charges[0] with { Amount = Money.FromUsd(1.3m) };
        await host.ReadAsync();
        Assert.Equal(BillState.Open, (await host.LinesAsync())[0].State);
    }

    private static string Text(LedgerEntry e) => $"{e.Id} {e.Kind} {e.PeriodStart:O} {e.PeriodEnd:O} {e.Rate} {e.Quantity} {e.Amount} {e.PostedAt:O}";
}
