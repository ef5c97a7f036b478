using Dashboard.Domain.Costs;

namespace Dashboard.Infrastructure.Tests.Budgets;

/// <summary>Random submits, renewals, crashes and outages of the provider against two limits. CI runs 60 sequences, <c>--full</c> 10,000; half of them with outages.</summary>
public sealed class RandomSpendingTests(ITestOutputHelper output)
{
    private const int SequencesInOneTown = 40; // each keeps the logs of its jobs open

    private static readonly int Sequences = Environment.GetEnvironmentVariable("DASHBOARD_TEST_SIZE") == "full" ? 10_000 : 60;

    [Fact]
    public async Task No_limit_is_passed_while_destroying_works() => await RunAsync(outages: false);

    [Fact]
    public async Task While_destroying_fails_a_limit_is_passed_by_no_more_than_the_rate_times_the_outage() => await RunAsync(outages: true);

    private async Task RunAsync(bool outages)
    {
        var (rents, refused, drained, over, most, byOutage) = (0, 0, 0, 0, Money.Zero, Money.Zero);
        for (var first = 0; first < Sequences / 2; first += SequencesInOneTown)
        {
            await using var town = await BudgetTown.OpenAsync();
            for (var seed = first; seed < Math.Min(first + SequencesInOneTown, Sequences / 2); seed++)
            {
                var story = new SpendingStory(town, seed, outages);
                await story.RunAsync();
                (rents, refused, drained, over) = (rents + story.Rents, refused + story.RefusedRents, drained + story.Drained, over + story.OverBudget);
                (most, byOutage) = (story.Overspent > most ? story.Overspent : most, story.ByOutage > byOutage ? story.ByOutage : byOutage);
            }
        }

        output.WriteLine($"{Sequences / 2} sequences: {rents} rents, {refused} refused at the rent, {over} refused at submission, {drained} drained; a limit was passed by {most.Words()} at most");
        Assert.True(rents > 0 && drained > 0 && over > 0, "the sequences reach what they are about");
        Assert.True(outages ? most > Money.Zero : most == Money.Zero, $"{most.Words()}");
    }
}
