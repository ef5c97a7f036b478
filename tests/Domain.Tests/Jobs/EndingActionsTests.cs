using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Jobs;

public sealed class EndingActionsTests
{
    [Fact]
    public void Every_ending_offers_something_and_nothing_twice() => Assert.All(Enum.GetValues<StopReason>(), reason =>
    {
        var actions = EndingActions.For(reason).Select(a => a.Action).ToArray();
        Assert.NotEmpty(actions);
        Assert.Equal(actions.Distinct(), actions);
    });

    [Theory]
    [InlineData(StopReason.ScriptFailed, "Log end", "/jobs/7?tab=console")]
    [InlineData(StopReason.ConnectionBroken, "Replace key", "/connections")]
    [InlineData(StopReason.NoCapacity, "Relax a requirement", "/jobs/new?clone=7")]
    [InlineData(StopReason.HostLost, "See job", "/jobs/7")]
    public void The_inbox_leads_to_the_first_remedy_and_spends_nothing_by_itself(StopReason reason, string label, string path) =>
        Assert.Equal((label, path), EndingActions.InInbox(reason, 7));
}
