using Dashboard.Domain.Catalog;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Marketplaces;

public sealed class PlausiblePriceTests
{
    [Theory]
    [InlineData("B200", 0.01, false)]
    [InlineData("B200", 1.20, false)] // a fifth of 6.25 is 1.25
    [InlineData("B200", 1.30, true)]
    [InlineData("RTX 3060", 0.03, true)]
    [InlineData("RTX 3060", 50, false)]
    [InlineData("RTX 3060", 1.30, true)] // ten times 0.139
    [InlineData("RTX 9999", 0.001, true)] // nobody knows what it costs
    public void A_price_far_from_what_the_model_costs_cannot_be_meant(string gpu, double usd, bool holds) =>
        Assert.Equal(holds, PlausiblePrice.Holds(gpu, HourlyRate.FromUsd((decimal)usd)));

    [Fact]
    public void One_name_of_two_sizes_has_the_band_of_both()
    {
        var a100 = GpuCatalog.Find("A100 SXM4")!;
        Assert.Equal((0.472m, 2.85m), (a100.LowUsd, a100.HighUsd));
    }

    [Fact]
    public void Text_with_commas_in_the_catalogue_shifts_no_column()
    {
        var v100 = GpuCatalog.Find("Tesla V100")!;
        Assert.Equal((7.0m, 0.532m), (v100.ComputeCapability, v100.HighUsd));
    }
}
