using Bunit;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Web.Layout;
using Dashboard.Web.SandboxHost;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Layout;

public sealed class RemoteBannerTests : BunitContext
{
    private readonly SandboxStatus _sandbox = new();

    public RemoteBannerTests() => Services.AddSingleton(_sandbox).AddSingleton<RentBan>();

    [Fact]
    public void A_sandbox_that_other_computers_can_reach_is_said_on_every_page()
    {
        _sandbox.RemoteAllowed = true;
        Assert.Contains("Other computers can reach this dashboard", Render<CardLayout>().Find("[role=alert]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void On_loopback_there_is_no_banner() => Assert.Empty(Render<CardLayout>().FindAll("[role=alert]"));
}
