using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Costs.Reconciliation;

/// <summary>A month of machines and the bill an honest provider would send for them: rounded to a tenth of a cent, seconds off at the ends, some rows twice, some late.</summary>
internal sealed class SyntheticInvoice
{
    private readonly Random _dice;
    private int _next;

    public SyntheticInvoice(int seed, int machines)
    {
#pragma warning disable CA5394 // a reproducible invoice, no secret
        _dice = new Random(seed);
#pragma warning restore CA5394
        for (var i = 0; i < machines; i++)
        {
            Honest(Start.AddHours(Roll(0, 24 * 20)), TimeSpan.FromMinutes(Roll(8, 2000)));
        }
    }

    public static DateTimeOffset Start { get; } = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    public static BillWindow Window { get; } = new(Start, Start.AddDays(26), Start.AddDays(26));

    public List<BilledMachine> Machines { get; } = [];

    public List<ProviderCharge> Charges { get; } = [];

    /// <summary>The first machine no test has taken yet.</summary>
    public BilledMachine Take() => Machines[_next++];

    public BillFindings Compare() => BillRules.Compare(Machines, new HashSet<string>(), Charges, Window, label => label?.StartsWith("gd1-ours", StringComparison.Ordinal) == true);

    /// <summary>What differs and is not waited for, forgotten machines included.</summary>
    public IReadOnlyList<string> Found()
    {
        var findings = Compare();
        return
        [
            .. findings.Lines.Where(l => l.State is BillState.Open or BillState.Explained).Select(l => $"{Machines.Single(m => m.Id == l.Instance).ContractId} {l.Kind}: {l.Cause}"),
            .. findings.Forgotten.Select(f => $"{f.ContractId} forgotten"),
        ];
    }

    public void Change(BilledMachine machine, ChargeKind kind, Func<ProviderCharge, ProviderCharge?> how)
    {
        foreach (var charge in Charges.Where(c => c.ContractId == machine.ContractId && c.Kind == kind).ToList())
        {
            Charges.Remove(charge);
            if (how(charge) is { } changed)
            {
                Charges.Add(changed with { Amount = Rounded(changed.Amount.Usd) });
            }
        }
    }

    public void Forget(BilledMachine machine, ChargeKind kind) =>
        Machines[Machines.IndexOf(machine)] = machine with { Uses = [.. machine.Uses.Where(u => u.Kind != kind)] };

    public static Money Rounded(decimal usd) => Money.FromUsd(Math.Round(usd, 3, MidpointRounding.ToEven));

    private int Roll(int from, int to)
    {
#pragma warning disable CA5394
        return _dice.Next(from, to);
#pragma warning restore CA5394
    }

    private void Honest(DateTimeOffset from, TimeSpan length)
    {
        var (contract, label) = ($"{51_000_000 + Machines.Count}", $"gd1-ours-{Machines.Count}");
        var (gpu, disk) = (HourlyRate.FromUsd(Roll(80, 2500) / 1000m), HourlyRate.OfDisk(Roll(20, 200), 0.15m));
        var (boots, until) = (from.AddSeconds(Roll(20, 200)), from + length);
        var (down, up) = (Money.FromUsd(Roll(0, 90) / 1000m), Money.FromUsd(Roll(0, 400) / 1000m));
        Machines.Add(new BilledMachine(new InstanceId(Guid.NewGuid()), contract, label, until,
        [
            new MeteredUse(ChargeKind.Gpu, gpu.For(until - boots), boots, until, gpu),
            new MeteredUse(ChargeKind.Disk, disk.For(until - from), from, until, disk),
            new MeteredUse(ChargeKind.Download, down, from, until, HourlyRate.Zero),
            new MeteredUse(ChargeKind.Upload, up, from, until, HourlyRate.Zero),
        ]));

        // Their clock is not ours, and some contracts come in two rows.
        var (begun, ended) = (boots.AddSeconds(Roll(-2, 3)), until.AddSeconds(Roll(-2, 3)));
        var rows = Machines.Count % 5 == 0 ? 2 : 1;
        for (var row = 0; row < rows; row++)
        {
            var (start, end) = (from + (length * row / rows), row == rows - 1 ? ended : from + (length * (row + 1) / rows));
            void Add(ChargeKind kind, decimal usd, HourlyRate? rate = null) => Charges.Add(new ProviderCharge(contract, label, kind, Rounded(usd / rows), start, end, rate));
            Add(ChargeKind.Gpu, gpu.For(ended - begun).Usd, HourlyRate.FromUsd(Math.Round(gpu.Usd, 3)));
            Add(ChargeKind.Disk, disk.For(ended - from).Usd);
            Add(ChargeKind.Download, down.Usd);
            Add(ChargeKind.Upload, up.Usd);
        }
    }
}
