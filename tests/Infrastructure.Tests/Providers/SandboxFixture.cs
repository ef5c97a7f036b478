using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Providers;

/// <summary>One running sandbox for the classes that share it.</summary>
public sealed class SandboxFixture : IAsyncLifetime
{
    public SandboxProcess Sandbox { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Sandbox = await SandboxProcess.StartAsync(new SandboxSettings { Port = 16010, InstancePorts = (43000, 43099), BillingFactor = 1000, ListLagSeconds = 0.5, ChargesDelaySeconds = 0.2 });

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}
