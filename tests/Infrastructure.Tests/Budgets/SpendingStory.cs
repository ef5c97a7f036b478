using System.Globalization;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Lifecycle;

namespace Dashboard.Infrastructure.Tests.Budgets;

/// <summary>
/// One random team under two limits: jobs that fit and jobs that do not, submitted at random times, on machines that bill by the
/// clock; the server is away for up to a minute, ends before a commit, and the provider refuses to destroy for a while. Every
/// step is the product's own; the bill is kept apart from it.
/// </summary>
internal sealed class SpendingStory(BudgetTown town, int seed, bool outages)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MeterEvery = TimeSpan.FromMinutes(7);

    private readonly Random _dice = new(seed);
    private readonly List<string> _story = [];
    private readonly List<Machine> _machines = [];

    public int Rents { get; private set; }

    public int RefusedRents { get; private set; }

    public int Drained { get; private set; }

    public int Finished { get; private set; }

    public int OverBudget { get; private set; }

    /// <summary>Most that any limit was passed by, and the most that outages of the provider account for.</summary>
    public Money Overspent { get; private set; }

    public Money ByOutage { get; private set; }

    public async Task RunAsync()
    {
        var here = await town.TeamAsync();
        Budget[] budgets = [await town.BudgetAsync(here, Dollars(1, 6), period: BudgetPeriod.Total), await town.BudgetAsync(here, Dollars(1, 4), here.Projects[1], period: BudgetPeriod.Total)];
        var wishes = Enumerable.Range(0, _dice.Next(2, 6)).Select(_ => new Wish(
            town.Now.AddMinutes(_dice.Next(0, 60)), new HourlyRate(_dice.Next(200_000, 2_500_000)), TimeSpan.FromMinutes(_dice.Next(2, 150)), OnProject: _dice.Next(2) == 0, MayPause: _dice.Next(3) > 0)).ToList();
        var away = town.Now;
        while (wishes.Count > 0 || _machines.Any(m => m.GoneAt is null))
        {
            town.Time.Advance(Tick);
            if (_dice.Next(120) == 0)
            {
                away = town.Now.AddSeconds(_dice.Next(10, 60));
                Tell($"the server is away until {away:HH:mm:ss}");
            }

            if (town.Now < away)
            {
                continue;
            }

            foreach (var wish in wishes.Where(w => w.At <= town.Now).ToList())
            {
                wishes.Remove(wish);
                await SubmitAsync(wish, here, budgets);
            }

            foreach (var machine in _machines.Where(m => m.GoneAt is null))
            {
                await StepAsync(machine);
            }
        }

        foreach (var budget in budgets)
        {
            await SettleAsync(budget, budgets[0].Id == budget.Id);
        }
    }

    private async Task SubmitAsync(Wish wish, Neighbourhood here, Budget[] budgets)
    {
        var high = new Money((long)(wish.Rate.For(wish.Runtime).Micros * (1 + (_dice.NextDouble() / 2))));
        var (job, refused) = await town.SubmitAsync(here, wish.Rate, high, wish.Runtime, here.Projects[wish.OnProject ? 1 : 0], wish.MayPause);
        Tell($"a job of {wish.Runtime.TotalMinutes} min at {wish.Rate.Words()}, at most {high.Words()}{(wish.MayPause ? ", may pause" : "")}: {(refused is null ? "admitted" : $"over by {refused.Name}")}");
        if (refused is not null)
        {
            OverBudget++;
            return;
        }

        await WithinAsync(budgets, "a promise");
        var promised = await IsPromisedAsync(job);
        var instance = await town.RentAsync(job, wish.Rate, crash: _dice.Next(8) == 0) ?? await town.RentAsync(job, wish.Rate);
        if (instance is null)
        {
            RefusedRents++;
            Check(!promised || ByOutage > Money.Zero, "a job that fits was refused its machine");
            return;
        }

        Rents++;
        await WithinAsync(budgets, "a rent");
        Tell($"rented, paid for until {instance.HeldUntil:HH:mm:ss}");
        var machine = new Machine(job, instance.Id, wish.Rate, wish.Runtime, wish.OnProject, promised, town.Now);
        _machines.Add(machine);
        await town.ChangeAsync(instance.Id, change =>
        {
            change.MoveTo(InstanceStatus.Sent);
            change.MoveTo(InstanceStatus.Booting);
        });
        await town.ChangeAsync(instance.Id, change =>
        {
            change.MoveTo(InstanceStatus.Ready);
            change.MoveTo(InstanceStatus.Running);
            (change.Instance.SentAt, change.Instance.BillingSince, change.Instance.RunningSince) = (change.Now, change.Now, change.Now);
        });
    }

    private async Task StepAsync(Machine machine)
    {
        var row = machine.Row ??= await town.InstanceAsync(machine.Id);
        if (row.Status != InstanceStatus.Destroying && (!(row.RenewHoldAt > town.Now) || row.HeldUntil <= town.Now.AddMinutes(2)))
        {
            await town.KeepFundedAsync(machine.Id);
            row = machine.Row = await town.InstanceAsync(machine.Id);
            Tell($"{machine.Id.Value.ToString()[..4]} paid for until {row.HeldUntil:HH:mm:ss} {row.HoldRefusal}");
        }

        if (town.Now - machine.PostedAt >= MeterEvery && row.Status != InstanceStatus.Destroying)
        {
            machine.PostedAt = town.Now;
            machine.Row = null;
            await town.ChangeAsync(machine.Id, change => MeterUsage.Gpu(change, change.Now));
        }

        switch (row.Status)
        {
            case InstanceStatus.Running when town.Now >= machine.Began + machine.Runtime:
                await DrainAsync(machine, StopReason.Finished);
                break;
            case InstanceStatus.Running when row.HeldUntil?.AddMinutes(-10) <= town.Now:
                Check(!machine.Promised || ByOutage > Money.Zero, "a job that fits was drained");
                Drained++;
                await DrainAsync(machine, StopReason.BudgetExhausted);
                break;
            case InstanceStatus.Draining when town.Now >= machine.HomeAt || town.Now > row.DrainUntil:
                await town.ChangeAsync(machine.Id, change => change.MoveTo(InstanceStatus.Destroying));
                machine.Row = null;
                await DestroyAsync(machine);
                break;
            case InstanceStatus.Destroying:
                await DestroyAsync(machine);
                break;
        }
    }

    private async Task DrainAsync(Machine machine, StopReason reason)
    {
        machine.Row = null;
        machine.HomeAt = town.Now.AddSeconds(_dice.Next(0, 720)); // saving and fetching, sometimes longer than there is money for
        await town.ChangeAsync(machine.Id, change => change.Drain(reason, $"{reason}.", TimeSpan.FromMinutes(30)));
        Tell($"{machine.Id.Value.ToString()[..4]} drains: {reason}");
    }

    private async Task DestroyAsync(Machine machine)
    {
        machine.DestroyFrom ??= town.Now + (outages && _dice.Next(4) == 0 ? TimeSpan.FromMinutes(_dice.Next(1, 40)) : TimeSpan.Zero);
        if (machine.FirstAsk is null)
        {
            machine.FirstAsk = town.Now;
            if (machine.DestroyFrom > town.Now)
            {
                ByOutage += machine.Rate.For(machine.DestroyFrom.Value - town.Now + (2 * Tick));
                Tell($"{machine.Id.Value.ToString()[..4]} cannot be destroyed until {machine.DestroyFrom:HH:mm:ss}");
            }
        }

        if (town.Now < machine.DestroyFrom)
        {
            return;
        }

        await town.ChangeAsync(machine.Id, change =>
        {
            MeterUsage.Gpu(change, change.Now);
            change.MoveTo(InstanceStatus.Gone);
        });
        machine.GoneAt = town.Now;
        Finished++;
    }

    /// <summary>The provider's bill against the limit, and our counters against ledger and holds.</summary>
    private async Task SettleAsync(Budget budget, bool whole)
    {
        var mine = _machines.Where(m => whole || m.OnProject).ToList();
        var bill = mine.Aggregate(Money.Zero, (sum, m) => sum + m.Rate.For(m.GoneAt!.Value - m.Began));
        var outage = mine.Where(m => m.DestroyFrom > m.FirstAsk).Aggregate(Money.Zero, (sum, m) => sum + m.Rate.For(m.GoneAt!.Value - m.FirstAsk!.Value));
        var read = await town.ReadAsync(budget);
        var (accrued, held) = await town.TruthAsync(budget);
        Check(read.Accrued == accrued && read.Held == held, $"counters {read.Accrued}, {read.Held} and truth {accrued}, {held}");
        Check(read.Held == Money.Zero, "something is still held");
        Check(Math.Abs(read.Accrued.Micros - bill.Micros) <= mine.Count, $"ledger {read.Accrued}, bill {bill}");
        var over = bill - read.Limit;
        Check(over <= outage + new Money(mine.Count), $"the bill is {bill.Words()}, the limit {read.Limit.Words()}, outages cost {outage.Words()}");
        Overspent = over > Overspent ? over : Overspent;
    }

    private async Task WithinAsync(Budget[] budgets, string what)
    {
        foreach (var budget in budgets)
        {
            var read = await town.ReadAsync(budget);
            Check(read.Accrued + read.Held <= read.Limit || ByOutage > Money.Zero, $"{what} passed {read.Limit.Words()}: {read.Accrued.Words()} accrued, {read.Held.Words()} held");
        }
    }

    private async Task<bool> IsPromisedAsync(Job job)
    {
        await using var db = await town.Database.ForSystemAsync(default);
        return db.BudgetHolds.Any(h => h.JobId == job.Id && h.InstanceId == null);
    }

    private decimal Dollars(int least, int most) => least + (_dice.Next(0, (most - least) * 100) / 100m);

    private void Tell(string line) => _story.Add(string.Create(CultureInfo.InvariantCulture, $"{town.Now:HH:mm:ss} {line}"));

    private void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"Seed {seed}{(outages ? ", with outages" : "")}: {what}\n{string.Join('\n', _story)}");
        }
    }

    private sealed record Wish(DateTimeOffset At, HourlyRate Rate, TimeSpan Runtime, bool OnProject, bool MayPause);

    private sealed class Machine(Job job, Domain.InstanceId id, HourlyRate rate, TimeSpan runtime, bool onProject, bool promised, DateTimeOffset began)
    {
        public Job Job => job;

        public Domain.InstanceId Id => id;

        public HourlyRate Rate => rate;

        public TimeSpan Runtime => runtime;

        public bool OnProject => onProject;

        public bool Promised => promised;

        public DateTimeOffset Began { get; } = began;

        /// <summary>As last read; null: it was changed since.</summary>
        public Instance? Row { get; set; }

        public DateTimeOffset PostedAt { get; set; } = began;

        public DateTimeOffset HomeAt { get; set; }

        public DateTimeOffset? FirstAsk { get; set; }

        public DateTimeOffset? DestroyFrom { get; set; }

        public DateTimeOffset? GoneAt { get; set; }
    }
}
