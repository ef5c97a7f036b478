using Bunit;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Costs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Costs;

public sealed class ReconcilePageTests : PageTest
{
    private static readonly DateTimeOffset November = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset At = new(2026, 11, 12, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Only_what_needs_somebody_is_shown_first_with_both_figures_and_the_cause()
    {
        await SeedAsync(OneOpenOneMatched);

        var row = Assert.Single(Show<ReconcilePage>("/t/halden/costs/reconcile").FindAll("table.bill-lines tbody tr"));

        Assert.Contains("Vast.ai 18244", row.TextContent);
        Assert.Equal(["$1.00", "$1.48", "+$0.48"], row.QuerySelectorAll("td.num").Select(td => td.TextContent.Trim()));
        Assert.Contains("charged for 31 min after it was destroyed", row.TextContent);
        Assert.Contains("Open", row.QuerySelector(".chip")!.TextContent);
    }

    [Fact]
    public async Task All_lines_of_a_month_are_there_when_asked_for_and_no_other_months()
    {
        await SeedAsync(OneOpenOneMatched);

        Assert.Equal(2, Show<ReconcilePage>("/t/halden/costs/reconcile?state=all").FindAll("table.bill-lines tbody tr").Count);
        Assert.Contains("No line in this month.", Show<ReconcilePage>("/t/halden/costs/reconcile?state=all&month=2026-10").Markup);
    }

    [Fact]
    public async Task The_card_says_how_much_differed_and_how_much_is_still_an_estimate()
    {
        await SeedAsync(OneOpenOneMatched);
        await SeedAsync(seed => LedgerSeed.Spend(seed, seed.Connection(TeamSeed.VastAi), "still open", JobStatus.Running, 2.5m, At, skip: 90));

        var card = Render<BillCard>(c => c.AddCascadingValue(Member).Add(b => b.Month, new DateOnly(2026, 11, 1)));

        var rows = card.FindAll(".sums tbody tr");
        Assert.Equal(["$1.03", "$1.51", "+$0.48", "nothing"], rows.Single(r => r.QuerySelectorAll("td").Length == 4).QuerySelectorAll("td").Select(td => td.TextContent.Trim()));
        Assert.Equal(["nothing reported yet", "≈ $2.50"], rows.Single(r => r.QuerySelectorAll("td").Length == 2).QuerySelectorAll("td").Select(td => td.TextContent.Trim()));
        Assert.Contains("1 open line. Machine 18244 (RTX 4090), GPU: +$0.48, charged for 31 min after it was destroyed.", card.Find(".notice").TextContent);
    }

    [Fact]
    public async Task A_claim_has_their_ids_and_times_and_both_figures()
    {
        await SeedAsync(OneOpenOneMatched);
        var page = Show<ReconcilePage>("/t/halden/costs/reconcile");

        await page.FindAll("table.bill-lines button").Single(b => b.TextContent.StartsWith("Copy a claim", StringComparison.Ordinal)).ClickAsync(new());

        var copied = (string)Assert.Single(JSInterop.Invocations, call => call.Identifier == "navigator.clipboard.writeText").Arguments[0]!;
        Assert.Contains("charge for GPU time of machine 18244 (RTX 4090) in November 2026", copied, StringComparison.Ordinal);
        Assert.Contains("Charged: $1.480000 for 2026-11-12 08:00:00 to 2026-11-12 11:01:00.", copied, StringComparison.Ordinal);
        Assert.Contains("Expected: $1.000000 for 2026-11-12 08:00:00 to 2026-11-12 10:30:00 at $0.400000/h.", copied, StringComparison.Ordinal);
        Assert.Contains("accepted, at 2026-11-12 10:30:00; it was charged until 2026-11-12 11:01:00", copied, StringComparison.Ordinal);
        Assert.DoesNotContain("gd1-", copied, StringComparison.Ordinal);
        Assert.Equal(copied, page.Find(".only-wide textarea").TextContent);
    }

    [Fact]
    public async Task Claiming_and_accepting_are_remembered_with_their_person_and_can_be_undone()
    {
        await SeedAsync(OneOpenOneMatched);
        var page = Show<ReconcilePage>("/t/halden/costs/reconcile");

        await Press(page, "Claimed");
        Assert.Contains("Mira Okafor", page.Find("table.bill-lines tbody").TextContent);
        Assert.Equal(BillState.Claimed, (await LineAsync()).State);
        await Press(page, "Accept theirs");
        Assert.Equal((BillState.Accepted, Member.UserId), ((await LineAsync()).State, (await LineAsync()).DecidedBy!.Value));
        Assert.Contains("No open line.", page.Markup); // it needs nobody any more

        var all = Show<ReconcilePage>("/t/halden/costs/reconcile?state=all");
        await Press(all, "Open again");
        Assert.Equal(BillState.Open, (await LineAsync()).State);
    }

    [Fact]
    public async Task A_member_sees_no_button_that_would_be_refused_and_is_refused()
    {
        await SeedAsync(OneOpenOneMatched);
        ReadAs(Role.Member);

        var buttons = Show<ReconcilePage>("/t/halden/costs/reconcile").FindAll("table.bill-lines button");

        Assert.Equal("Copy a claim", Assert.Single(buttons).FirstChild!.TextContent);
        await Assert.ThrowsAsync<PermissionDeniedException>(async () => await Services.GetRequiredService<DecideBillLine>().RunAsync(Member, (await LineAsync()).Id, BillState.Accepted, CancellationToken.None));
    }

    [Fact]
    public async Task A_viewer_sees_no_money()
    {
        await SeedAsync(OneOpenOneMatched);
        ReadAs(Role.Viewer);

        await Assert.ThrowsAsync<PermissionDeniedException>(() => Services.GetRequiredService<BillQueries>().ReadAsync(Member, new BillQuestion(new DateOnly(2026, 11, 1), false, null), CancellationToken.None));
        await Assert.ThrowsAsync<PermissionDeniedException>(() => Services.GetRequiredService<BillQueries>().AgreementAsync(Member, new DateOnly(2026, 11, 1), CancellationToken.None));
        Assert.DoesNotContain("$", Show<ReconcilePage>("/t/halden/costs/reconcile").Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_agrees_cannot_be_decided()
    {
        await SeedAsync(OneOpenOneMatched);
        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        var matched = await db.BillLines.SingleAsync(l => l.State == BillState.Matched);

        Assert.False(await Services.GetRequiredService<DecideBillLine>().RunAsync(Member, matched.Id, BillState.Claimed, CancellationToken.None));
    }

    [Fact]
    public async Task Another_teams_line_is_not_there()
    {
        await SeedAsync(OneOpenOneMatched);
        var other = new Team { Id = new Domain.TeamId(Guid.NewGuid()), Name = "Other", Slug = "other", CreatedAt = At };
        var stranger = TeamContext.Of(other, new Membership { TeamId = other.Id, UserId = new Domain.UserId(Guid.NewGuid()), Role = Role.Owner, Since = At });

        Assert.False(await Services.GetRequiredService<DecideBillLine>().RunAsync(stranger, (await LineAsync()).Id, BillState.Accepted, CancellationToken.None));
        Assert.Equal(0, (await Services.GetRequiredService<BillQueries>().ReadAsync(stranger, new BillQuestion(new DateOnly(2026, 11, 1), false, null), CancellationToken.None)).Total);
    }

    [Fact]
    public async Task Simulated_money_stands_apart_as_soon_as_there_is_a_real_connection()
    {
        await SeedAsync(OneOpenOneMatched);
        await SeedAsync(seed => Line(seed, seed.Connection(TeamSeed.Sandbox), "simulated", 7m, 8m, BillState.Open, DifferenceCause.WrongRate, skip: 200));

        var agreement = await Services.GetRequiredService<BillQueries>().AgreementAsync(Member, new DateOnly(2026, 11, 1), CancellationToken.None);

        Assert.Equal((Money.FromUsd(1.51m), 1), (agreement.Theirs, agreement.Open));
        Assert.Equal(Money.FromUsd(8m), Assert.Single(agreement.Apart).Theirs);
        Assert.Contains("simulated", Show<ReconcilePage>("/t/halden/costs/reconcile").FindAll("table.sums")[^1].TextContent);
    }

    [Fact]
    public async Task Forgotten_rentals_are_shown_and_nothing_is_offered_to_destroy_them()
    {
        await SeedAsync(seed =>
        {
            OneOpenOneMatched(seed);
            var account = seed.Connection(TeamSeed.VastAi);
            seed.Add(new ForgottenRental { TeamId = Team.Id, ConnectionId = account.Id, Market = account.Market, ContractId = "77", Label = "gd1-x", Month = November, Amount = Money.FromUsd(0.58m), From = At, Until = At.AddHours(2), SeenAt = At });
        });

        var card = Show<ReconcilePage>("/t/halden/costs/reconcile").Find("#forgotten");

        Assert.Contains("Vast.ai machine 77", card.TextContent);
        Assert.Contains("$0.58", card.TextContent);
        Assert.Empty(card.QuerySelectorAll("button"));
    }

    [Fact]
    public async Task The_bill_can_be_asked_for()
    {
        await SeedAsync(OneOpenOneMatched);
        var page = Show<ReconcilePage>("/t/halden/costs/reconcile");

        await page.Find(".filters button").ClickAsync(new());

        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        Assert.Equal(Time.GetUtcNow(), (await db.BillReadings.SingleAsync()).NextAt);
        Assert.True(page.Find(".filters button").HasAttribute("disabled"));
    }

    // Found and pressed between two renders: the page reads itself anew when something changes.
    private static Task Press(IRenderedComponent<ReconcilePage> page, string words) => page.InvokeAsync(() =>
        page.FindAll("table.bill-lines button").Single(b => b.TextContent.StartsWith(words, StringComparison.Ordinal) && !b.TextContent.StartsWith("Copy", StringComparison.Ordinal)).ClickAsync(new()));

    private async Task<BillLine> LineAsync()
    {
        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        return await db.BillLines.SingleAsync(l => l.Kind == ChargeKind.Gpu);
    }

    private void OneOpenOneMatched(TeamSeed seed)
    {
        var account = seed.Connection(TeamSeed.VastAi);
        var machine = Line(seed, account, "support-bot", 1m, 1.48m, BillState.Open, DifferenceCause.AfterDestroy);
        Add(seed, account, machine, ChargeKind.Disk, 0.03m, 0.03m, BillState.Matched, DifferenceCause.None);
        seed.Add(new BillReading { ConnectionId = account.Id, TeamId = Team.Id, ReadAt = Time.GetUtcNow().AddMinutes(-6), NextAt = Time.GetUtcNow().AddMinutes(54) });
    }

    private Instance Line(TeamSeed seed, Connection account, string name, decimal ours, decimal theirs, BillState state, DifferenceCause cause, int skip = 0)
    {
        var job = seed.Job(account, name, JobStatus.Succeeded, skip: skip);
        var attempt = seed.Attempt(job);
        var machine = seed.Instance(job, attempt, InstanceStatus.Gone);
        seed.Charge(job, attempt, machine, account.Market, ours, At);
        if (skip == 0)
        {
            seed.Charge(job, attempt, machine, account.Market, 0.03m, At, ChargeKind.Disk);
        }

        Add(seed, account, machine, ChargeKind.Gpu, ours, theirs, state, cause);
        return machine;
    }

    private void Add(TeamSeed seed, Connection account, Instance machine, ChargeKind kind, decimal ours, decimal theirs, BillState state, DifferenceCause cause) => seed.Add(new BillLine
    {
        TeamId = Team.Id, ConnectionId = account.Id, Market = account.Market, InstanceId = machine.Id, Kind = kind, Month = November, Ours = Money.FromUsd(ours), Theirs = Money.FromUsd(theirs), Reported = true, Settled = true,
        Adjusted = Money.FromUsd(theirs - ours), State = state, Cause = cause, OurRate = HourlyRate.FromUsd(0.4m), OurFrom = At, OurUntil = At.AddMinutes(150), TheirFrom = At, TheirUntil = At.AddMinutes(181), CheckedAt = At.AddHours(4),
    });
}
