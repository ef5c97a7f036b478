using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation.Orders;

/// <summary>Jobs that wait for a price, on price series by chance, with two servers side by side that crash and stand still.</summary>
public sealed class PriceLimitOrderTests(ITestOutputHelper output)
{
    [Fact]
    public void An_order_is_never_early_never_twice_never_above_its_limit_and_not_late()
    {
        var tally = Runner.Run([.. Enumerable.Range(0, Size.PriceSeries).Select(OrderWorlds.Of)]);

        var f = tally.Figures;
        Printed.Line(output, $"price orders: {tally.Worlds} series with two servers, {f.Crashes} crashes, {f.Rents} rents, {f.Succeeded} of {f.Jobs} jobs found their price, the others ended at their time; 0 early, 0 double, 0 above the limit, 0 late; {tally.Took.TotalSeconds:0} s");
        Assert.True(tally.Failed.Count == 0, tally.Words());
        Assert.Equal(Size.PriceSeries, f.Jobs);
        Assert.True(f.Succeeded > tally.Worlds / 4 && f.Succeeded < tally.Worlds, "The series are no test: every order ends alike.");
    }
}
