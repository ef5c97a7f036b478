using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Costs;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using static Dashboard.Web.Tests.Costs.LedgerSeed;

namespace Dashboard.Web.Tests.Costs;

/// <summary>Whatever the ledger holds, and however it is cut, the pieces are the ledger.</summary>
public sealed class CostGroupingTests : PageTest
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 12, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Sums_by_any_dimension_and_zone_agree_with_the_entries_and_lead_to_them()
    {
        var dice = new Random(11);
        await SeedAsync(seed => ManyJobs(seed, dice));
        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        var entries = await db.Ledger.AsNoTracking().ToListAsync();
        var (costs, ledger) = (Services.GetRequiredService<CostQueries>(), Services.GetRequiredService<LedgerQueries>());

        foreach (var zone in (string[])["UTC", "Europe/Oslo", "Asia/Kathmandu", "America/St_Johns"])
        {
            var period = CostPeriod.Read(null, "2026-10-20", "2026-11-20", ReaderZone.Named(zone))!;
            var total = entries.Where(e => e.PeriodStart >= period.Start && e.PeriodStart < period.End).Sum(e => e.Amount.Micros);
            foreach (var by in Enum.GetValues<CostSplit>())
            {
                var view = await costs.ExploreAsync(Member, new CostsQuestion(period, CostScope.All, by, null, new DateOnly(2026, 11, 23)), CancellationToken.None);
                Assert.Equal(total, view.Rows.Sum(r => r.Spent.Micros));
                Assert.Equal(total, view.Rows.SelectMany(r => r.Bars).Sum(b => b.Micros));
                for (var bar = 0; bar < period.Bars; bar++)
                {
                    var day = new CostPeriod(period.FirstOf(bar), period.LastOf(bar), period.Zone);
                    Assert.Equal(entries.Where(e => e.PeriodStart >= day.Start && e.PeriodStart < day.End).Sum(e => e.Amount.Micros), view.Rows.Sum(r => r.Bars[bar].Micros));
                }

                // Opening a row shows just its entries.
                var row = view.Rows[0];
                var scope = CostScope.Read(name => string.Equals(name, by.ToString(), StringComparison.OrdinalIgnoreCase) ? row.Key : null);
                Assert.Equal(row.Spent, (await ledger.ReadAsync(Member, new LedgerQuestion(period, scope, LedgerSort.Newest), CancellationToken.None)).Sum);
            }
        }
    }

    [Fact]
    public async Task The_steps_are_the_ledger()
    {
        await SeedAsync(seed => ManyJobs(seed, new Random(12)));
        await using var db = await Database.ForSystemAsync(CancellationToken.None);

        var entries = (await db.Ledger.AsNoTracking().ToListAsync())
            .GroupBy(e => (e.InstanceId, e.Kind, Step: e.PeriodStart.ToUnixTimeMilliseconds() / SpendStep.Length))
            .ToDictionary(g => g.Key, g => (g.Sum(e => e.Amount.Micros), g.Where(e => e.Estimated).Sum(e => e.Amount.Micros), (long)g.Sum(e => (e.PeriodEnd - e.PeriodStart).TotalMilliseconds)));
        var steps = (await db.SpendSteps.AsNoTracking().ToListAsync()).ToDictionary(s => (s.InstanceId, s.Kind, s.Step), s => (s.Micros, s.EstimatedMicros, s.Milliseconds));

        Assert.Equal(entries.Count, steps.Count);
        Assert.All(entries, entry => Assert.Equal(entry.Value, steps[entry.Key]));
    }

    [Theory]
    [InlineData("nightly", 3_000_000)]
    [InlineData("=nightly", 2_000_000)]
    [InlineData("=eval,nightly", 1_000_000)]
    [InlineData("=", 4_000_000)]
    public async Task A_tag_is_had_or_is_all_there_is(string tag, long micros)
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            Spend(seed, account, "both", JobStatus.Succeeded, 1m, Noon, tags: ["nightly", "eval"]);
            Spend(seed, account, "one", JobStatus.Succeeded, 2m, Noon, tags: ["nightly"]);
            Spend(seed, account, "none", JobStatus.Succeeded, 4m, Noon);
        });
        var (period, scope) = (CostPeriod.Month(new DateOnly(2026, 11, 1), ReaderZone.Utc), new CostScope(Tag: tag));

        Assert.Equal(micros, (await Services.GetRequiredService<CostQueries>().ExploreAsync(Member, new CostsQuestion(period, scope, CostSplit.Job, null, new DateOnly(2026, 11, 23)), CancellationToken.None)).Total.Spent.Micros);
        Assert.Equal(micros, (await Services.GetRequiredService<LedgerQueries>().ReadAsync(Member, new LedgerQuestion(period, scope, LedgerSort.Newest), CancellationToken.None)).Sum.Micros);
    }

    [Fact]
    public async Task What_was_lost_is_named_with_its_attempts_and_no_amount_twice()
    {
        await SeedAsync(seed =>
        {
            var account = seed.Connection(TeamSeed.VastAi);
            seed.Artifact(Spend(seed, account, "adapter", JobStatus.Succeeded, 4m, Noon, diskUsd: 0.2m, with: a => (a.StartedAt, a.EndedAt, a.StopReason, a.Step, a.ResumedFrom, a.Tokens) = (Noon, Noon.AddHours(1), StopReason.Finished, 2500, 500, 10_000_000)));
            Spend(seed, account, "broken", JobStatus.Failed, 1.5m, Noon, with: a => (a.StartedAt, a.EndedAt, a.StopReason, a.Step) = (Noon, Noon.AddHours(1), StopReason.ScriptFailed, 500));
            Spend(seed, account, "dark", JobStatus.Failed, 0.25m, Noon, with: a => (a.EndedAt, a.StopReason) = (Noon.AddHours(1), StopReason.StartFailed));
            Spend(seed, account, "still-on", JobStatus.Running, 9m, Noon, with: a => a.StartedAt = Noon);
        });

        var view = await Services.GetRequiredService<ResultQueries>().ReadAsync(Member, CostPeriod.Month(new DateOnly(2026, 11, 1), ReaderZone.Utc), CostScope.All, CancellationToken.None);

        Assert.Equal([(WasteKind.NeverCameUp, Money.FromUsd(0.25m), 1), (WasteKind.FailedAttempt, Money.FromUsd(1.5m), 1)], view.Wasted.Select(w => (w.Kind, w.Spent, w.Attempts)));
        Assert.Equal(["broken", "dark"], view.Attempts.Select(a => a.JobName));
        Assert.Equal(Money.FromUsd(4.2m), view.Adapters.Per(1));
        Assert.Equal(Money.FromUsd(2.28m), view.Steps.Per(1000)); // (4.20 + 1.50) for 2,000 from the 500th on, and 500
        Assert.Equal(Money.FromUsd(0.525m), view.Tokens.Per(1_000_000)); // 4.20 for 2,000 of the 2,500 steps' ten million; the other did not count
    }

    private static void ManyJobs(TeamSeed seed, Random dice)
    {
#pragma warning disable CA5394 // the same ledger every time
        var account = seed.Connection(TeamSeed.VastAi);
        string[][] tags = [[], ["nightly"], ["eval", "nightly"], ["größe"]];
        for (var n = 0; n < 30; n++)
        {
            var job = seed.Job(account, $"job-{n}", JobStatus.Succeeded, project: n % 3 == 0 ? null : n == 1 ? seed.Project("other") : null, tags: tags[dice.Next(4)]);
            var attempt = seed.Attempt(job);
            var machine = seed.Instance(job, attempt, Domain.Instances.InstanceStatus.Gone, gpu: n % 2 == 0 ? "RTX 4090" : "H100 SXM");
            var at = new DateTimeOffset(2026, 10, 18, 0, 0, 0, TimeSpan.Zero).AddMinutes(dice.Next(36 * 24 * 60));
            for (var minute = 0; minute < 40; minute++)
            {
                seed.Charge(job, attempt, machine, account.Market, dice.Next(1, 9000) / 1000m, at.AddMinutes(minute), minute % 9 == 0 ? ChargeKind.Disk : ChargeKind.Gpu, estimated: minute == 39);
            }
        }
#pragma warning restore CA5394
    }
}
