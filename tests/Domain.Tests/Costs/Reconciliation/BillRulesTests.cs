using CsCheck;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Costs.Reconciliation;

public sealed class BillRulesTests
{
    private static readonly DateTimeOffset Ended = SyntheticInvoice.Start.AddDays(10);
    private static readonly HourlyRate Rate = HourlyRate.FromUsd(0.4m);

    [Fact]
    public void Twelve_planted_differences_are_found_and_nothing_else()
    {
        var bill = new SyntheticInvoice(seed: 7, machines: 60);
        Assert.Empty(bill.Found()); // nothing false before
        string[] planted =
        [
            Plant(ChargeKind.Gpu, DifferenceCause.WrongRate, c => c with { Amount = new Money(c.Amount.Micros * 5 / 4), Rate = new HourlyRate(c.Rate!.Value.MicrosPerHour * 5 / 4) }),
            Plant(ChargeKind.Gpu, DifferenceCause.WrongRate, c => c with { Amount = new Money(c.Amount.Micros * 24 / 25), Rate = new HourlyRate(c.Rate!.Value.MicrosPerHour * 24 / 25) }, longest: true),
            Plant(ChargeKind.Disk, DifferenceCause.WrongRate, c => c with { Amount = new Money(c.Amount.Micros * 3) }, longest: true),
            AfterDestroy(ChargeKind.Gpu),
            AfterDestroy(ChargeKind.Disk),
            Plant(ChargeKind.Gpu, DifferenceCause.OtherTime, c => c with { Amount = new Money(c.Amount.Micros * 9 / 10) }, longest: true),
            Plant(ChargeKind.Download, DifferenceCause.Traffic, c => c with { Amount = c.Amount + Money.FromUsd(0.6m) }),
            Plant(ChargeKind.Upload, DifferenceCause.Traffic, c => c with { Amount = c.Amount + Money.FromUsd(2m) }),
            MissingWithUs(ChargeKind.Gpu),
            MissingWithUs(ChargeKind.Disk),
            MissingWithThem(),
            Forgotten(),
        ];

        Assert.Equal(planted.Order(StringComparer.Ordinal), bill.Found().Order(StringComparer.Ordinal));

        string Plant(ChargeKind kind, DifferenceCause cause, Func<ProviderCharge, ProviderCharge> how, bool longest = false)
        {
            var machine = longest ? Longest() : bill.Take();
            bill.Change(machine, kind, how);
            return $"{machine.ContractId} {kind}: {cause}";
        }

        // Long enough for the difference to be more than a cent.
        BilledMachine Longest()
        {
            var machine = bill.Take();
            while (machine.EndedAt - machine.Uses[0].From < TimeSpan.FromHours(6))
            {
                machine = bill.Take();
            }

            return machine;
        }

        string AfterDestroy(ChargeKind kind)
        {
            var machine = Longest();
            var rate = machine.Uses.Single(u => u.Kind == kind).Rate;
            var extra = TimeSpan.FromHours(kind == ChargeKind.Disk ? 60 : 3);
            bill.Change(machine, kind, c => c with { Amount = c.Amount + rate.For(extra), To = c.To + extra });
            return $"{machine.ContractId} {kind}: AfterDestroy";
        }

        string MissingWithUs(ChargeKind kind)
        {
            var machine = Longest();
            bill.Forget(machine, kind);
            return $"{machine.ContractId} {kind}: MissingWithUs";
        }

        string MissingWithThem()
        {
            var machine = bill.Take();
            bill.Change(machine, ChargeKind.Gpu, _ => null);
            return $"{machine.ContractId} Gpu: MissingWithThem";
        }

        string Forgotten()
        {
            bill.Charges.Add(new ProviderCharge("99000001", "gd1-ours-lost", ChargeKind.Disk, Money.FromUsd(0.58m), SyntheticInvoice.Start, SyntheticInvoice.Start.AddDays(1)));
            bill.Charges.Add(new ProviderCharge("99000002", "a colleague's", ChargeKind.Gpu, Money.FromUsd(4m), SyntheticInvoice.Start, SyntheticInvoice.Start.AddDays(1)));
            return "99000001 forgotten";
        }
    }

    [Fact]
    public void An_honest_bill_has_no_difference_whatever_its_size() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[1, 40]).Sample((seed, machines) => Assert.Empty(new SyntheticInvoice(seed, machines).Found()), iter: 200);

    [Fact]
    public void It_does_not_matter_in_how_many_rows_a_charge_comes() =>
        Gen.Select(Gen.Long[1, 5_000], Gen.Int[1, 20]).Sample((thousandths, rows) =>
        {
            var row = new Money(thousandths * 1000);
            var one = Finding([Charge(new Money(row.Micros * rows))]);
            var many = Finding([.. Enumerable.Range(0, rows).Select(_ => Charge(row))]);
            Assert.Equal((one.Theirs, one.Ours), (many.Theirs, many.Ours));
        });

    [Fact]
    public void Once_settled_what_is_due_brings_the_ledger_to_their_figure_and_nothing_is_due_twice() =>
        Gen.Select(Gen.Long[0, 90_000_000], Gen.Long[0, 90_000], Gen.Long[-5_000_000, 5_000_000]).Sample((ours, theirs, posted) =>
        {
            var finding = Finding([Charge(new Money(theirs * 1000))], new Money(ours));
            var due = finding.Due(new Money(posted));
            Assert.Equal(finding.Theirs, finding.Ours + new Money(posted) + due);
            Assert.Equal(Money.Zero, finding.Due(new Money(posted) + due));
        });

    [Fact]
    public void A_row_that_is_not_there_yet_is_not_zero()
    {
        var found = Finding([], readAfter: TimeSpan.FromHours(3));

        Assert.Equal((BillState.NotReported, (Money?)null), (found.State, found.Theirs));
        Assert.Equal(Money.Zero, found.Due(Money.Zero));
    }

    [Fact]
    public void A_row_that_reaches_only_part_of_the_use_is_waited_for()
    {
        var found = Finding([Charge(Money.FromUsd(1m)) with { To = Ended.AddHours(-2) }], readAfter: TimeSpan.FromHours(3));

        Assert.Equal((BillState.NotReported, false), (found.State, found.Settled));
    }

    [Fact]
    public void What_is_never_charged_is_said_after_two_days_and_stays_in_the_ledger()
    {
        var found = Finding([], readAfter: TimeSpan.FromDays(2));

        Assert.Equal((BillState.Open, DifferenceCause.MissingWithThem), (found.State, found.Cause));
        Assert.Equal(Money.Zero, found.Due(Money.Zero));
    }

    [Fact]
    public void A_kind_missing_among_a_machines_rows_is_waited_for_two_days()
    {
        ProviderCharge[] charges = [Charge(Money.FromUsd(0.1m)) with { Kind = ChargeKind.Disk }];

        Assert.Equal(BillState.NotReported, Finding(charges, readAfter: TimeSpan.FromHours(47)).State);
        Assert.Equal((BillState.Open, (Money?)Money.Zero), (Finding(charges, readAfter: TimeSpan.FromHours(48)).State, Finding(charges, readAfter: TimeSpan.FromHours(48)).Theirs));
    }

    [Theory]
    [InlineData(4.0000, 4.0004, DifferenceCause.Rounding)]
    [InlineData(4.0000, 4.0790, DifferenceCause.Seconds)]
    [InlineData(0.0100, 0.0190, DifferenceCause.Seconds)] // under a cent
    public void Rounding_and_seconds_at_the_ends_agree(double ours, double theirs, DifferenceCause cause)
    {
        var found = Finding([Charge(Money.FromUsd((decimal)theirs))], Money.FromUsd((decimal)ours));

        Assert.Equal((BillState.Matched, cause, true), (found.State, found.Cause, found.Settled));
    }

    [Theory]
    [InlineData(4.0000, 4.0900)]
    [InlineData(4.0000, 3.9000)]
    [InlineData(0.0100, 0.0210)]
    public void More_than_a_cent_and_two_percent_is_open(double ours, double theirs) =>
        Assert.Equal(BillState.Open, Finding([Charge(Money.FromUsd((decimal)theirs))], Money.FromUsd((decimal)ours)).State);

    [Fact]
    public void Charges_are_found_by_the_label_where_the_contract_id_was_lost()
    {
        var machine = Machine(Money.FromUsd(4m)) with { ContractId = null };

        var found = Compare(machine, [Charge(Money.FromUsd(4m))]);

        Assert.Equal(BillState.Matched, Assert.Single(found.Lines).State);
        Assert.Empty(found.Forgotten);
    }

    [Fact]
    public void A_machine_that_lives_is_confirmed_up_to_the_windows_end_and_stays_unsettled()
    {
        var until = SyntheticInvoice.Start.AddDays(5);
        var machine = Machine(Money.FromUsd(4m)) with { EndedAt = null };

        var found = BillRules.Compare([machine], new HashSet<string>(), [Charge(Money.FromUsd(4.0004m)) with { To = until }], new BillWindow(SyntheticInvoice.Start, until, until.AddHours(7)), _ => false);

        var line = Assert.Single(found.Lines);
        Assert.Equal((BillState.Matched, false, (DateTimeOffset?)until), (line.State, line.Settled, line.ConfirmedUntil));
        Assert.Equal(Money.Zero, line.Due(Money.Zero)); // a rounding is posted once, at the end
    }

    [Fact]
    public void Charges_of_machines_compared_elsewhere_are_neither_forgotten_nor_foreign()
    {
        var found = BillRules.Compare([], new HashSet<string> { "51" }, [Charge(Money.FromUsd(4m))], SyntheticInvoice.Window, _ => true);

        Assert.Empty(found.Forgotten);
        Assert.Empty(found.Foreign);
    }

    private static ProviderCharge Charge(Money amount) => new("51", "gd1-ours", ChargeKind.Gpu, amount, Ended.AddHours(-10), Ended);

    private static BilledMachine Machine(Money ours) => new(new InstanceId(Guid.NewGuid()), "51", "gd1-ours", Ended, [new MeteredUse(ChargeKind.Gpu, ours, Ended.AddHours(-10), Ended, Rate)]);

    private static BillFinding Finding(IReadOnlyList<ProviderCharge> charges, Money? ours = null, TimeSpan? readAfter = null) =>
        Compare(Machine(ours ?? Money.FromUsd(4m)), charges, readAfter).Lines.Single(l => l.Kind == ChargeKind.Gpu);

    private static BillFindings Compare(BilledMachine machine, IReadOnlyList<ProviderCharge> charges, TimeSpan? readAfter = null)
    {
        var read = Ended + (readAfter ?? TimeSpan.FromHours(1));
        return BillRules.Compare([machine], new HashSet<string>(), charges, new BillWindow(SyntheticInvoice.Start, read, read), label => label?.StartsWith("gd1-ours", StringComparison.Ordinal) == true);
    }
}
