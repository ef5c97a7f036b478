using Dashboard.Infrastructure.Providers.VastAi;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed class VastAiOptionsTests
{
    [Fact]
    public void Without_configuration_the_real_service_is_asked_at_its_documented_thresholds()
    {
        var options = Bind();

        Assert.Equal("https://console.vast.ai", options.BaseUrl);
        Assert.Equal(
            [2, 6, 4.5, 1, 2, 1, 5.5, 3, 2, 2, 1, 3],
            Enum.GetValues<VastAiEndpoint>().Select(endpoint => options.Limits.Between(endpoint).TotalSeconds));
        Assert.Equal(TimeSpan.FromSeconds(12), options.Limits.AfterRefusal(VastAiEndpoint.Rent));
        Assert.All(Enum.GetValues<VastAiEndpoint>(), endpoint => Assert.Equal(TimeSpan.Zero, options.SandboxLimits.Between(endpoint)));
    }

    [Fact]
    public void Each_threshold_can_be_set_alone()
    {
        var options = Bind(("Limits:Destroy", "00:00:05"), ("SandboxLimits:List", "00:00:01"));

        Assert.Equal((5, 6), (options.Limits.Between(VastAiEndpoint.Destroy).TotalSeconds, options.Limits.Between(VastAiEndpoint.Search).TotalSeconds));
        Assert.Equal((1, 0), (options.SandboxLimits.Between(VastAiEndpoint.List).TotalSeconds, options.SandboxLimits.Between(VastAiEndpoint.Rent).TotalSeconds));
    }

    [Theory]
    [InlineData("BaseUrl", "not an address")]
    [InlineData("CallTimeout", "00:00:00")]
    [InlineData("Retries", "1000")]
    public void A_value_out_of_range_is_refused_by_name(string name, string value) =>
        Assert.Contains(name, Assert.Throws<OptionsValidationException>(() => Bind((name, value))).Message, StringComparison.Ordinal);

    private static VastAiOptions Bind(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"{VastAiOptions.Section}:{setting.Name}", (string?)setting.Value))).Build();
        using var services = new ServiceCollection().AddVastAi(configuration).BuildServiceProvider();
        return services.GetRequiredService<IOptions<VastAiOptions>>().Value;
    }
}
