using Dashboard.Domain.Costs.Reconciliation;

namespace Dashboard.Domain.Tests.Costs.Reconciliation;

public sealed class BillMonthTests
{
    private static readonly BillMonth November = BillMonth.Of(At("2026-11-17T04:05:06Z"));

    [Theory]
    [InlineData("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z", "2026-11-21T00:00:00Z")] // open: beside the use
    [InlineData("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z", "2026-12-02T23:59:59Z")] // over and not final yet
    [InlineData("2026-11-20T10:00:00Z", "2026-12-03T00:00:00Z", "2026-12-03T00:00:00Z")] // final: in the next one
    [InlineData("2026-10-30T10:00:00Z", "2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z")] // a charge that began before the month
    [InlineData("2026-12-01T10:00:00Z", "2026-11-30T23:59:59.999Z", "2026-12-01T11:00:00Z")]
    public void A_month_that_is_final_never_changes(string used, string placed, string now) => Assert.Equal(At(placed), November.Place(At(used), At(now)));

    [Fact]
    public void A_month_is_final_on_the_third_of_the_next() => Assert.Equal(At("2026-12-03T00:00:00Z"), November.FinalAt);

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
