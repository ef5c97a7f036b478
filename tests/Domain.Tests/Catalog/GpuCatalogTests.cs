using Dashboard.Domain.Catalog;

namespace Dashboard.Domain.Tests.Catalog;

public sealed class GpuCatalogTests
{
    [Fact]
    public void The_field_has_at_least_25_models_with_memory_and_a_name()
    {
        Assert.True(GpuCatalog.All.Count >= 25);
        Assert.All(GpuCatalog.All, model => Assert.True(model.VramGib > 0 && model.Name.Trim() == model.Name && model.Name.Length > 0));
    }

    [Theory]
    [InlineData("RTX 4090", 24, "8.9")]
    [InlineData("rtx 4090", 24, "8.9")]
    [InlineData("RTX 3060", 12, "8.6")]
    public void A_model_is_found_by_the_marketplaces_spelling(string name, int vramGib, string capability)
    {
        var model = GpuCatalog.Find(name);
        Assert.NotNull(model);
        Assert.Equal(vramGib, model.VramGib);
        Assert.Equal(capability, model.ComputeCapability?.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void A_model_nobody_knows_is_not_made_up() => Assert.Null(GpuCatalog.Find("RTX 9999"));
}
