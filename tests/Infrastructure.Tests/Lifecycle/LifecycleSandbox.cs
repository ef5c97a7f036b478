using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

public abstract class SandboxFixture(int port, (int First, int Last) instancePorts) : IAsyncLifetime
{
    public SandboxProcess Sandbox { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Sandbox = await SandboxProcess.StartAsync(new SandboxSettings { Port = port, InstancePorts = instancePorts, BootSeconds = 0.5, ListLagSeconds = 1, Credit = 1000, BillingFactor = 1000 });

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Sandbox.DisposeAsync();
    }
}

/// <summary>One sandbox for many tests: the jobs do not know of each other.</summary>
public sealed class LifecycleSandbox() : SandboxFixture(18790, (44790, 44889));

[CollectionDefinition(nameof(LifecycleSandbox))]
public sealed class LifecycleSandboxCollection : ICollectionFixture<LifecycleSandbox>;

/// <summary>Another one, for the tests that lay faults on the next machine or on the whole market.</summary>
public sealed class FaultySandbox() : SandboxFixture(18610, (44500, 44599));

[CollectionDefinition(nameof(FaultySandbox))]
public sealed class FaultySandboxCollection : ICollectionFixture<FaultySandbox>;

/// <summary>One for machines that are outbid and runs that stop themselves.</summary>
public sealed class InterruptibleSandbox() : SandboxFixture(18670, (44100, 44199));

[CollectionDefinition(nameof(InterruptibleSandbox))]
public sealed class InterruptibleSandboxCollection : ICollectionFixture<InterruptibleSandbox>;

/// <summary>And one for those that spoil its answers to everybody.</summary>
public sealed class FaultyRoutesSandbox() : SandboxFixture(18620, (43300, 43399));

[CollectionDefinition(nameof(FaultyRoutesSandbox))]
public sealed class FaultyRoutesSandboxCollection : ICollectionFixture<FaultyRoutesSandbox>;

/// <summary>And one for what goes wrong with the server's own computer and its database.</summary>
public sealed class TroubledServerSandbox() : SandboxFixture(18630, (43200, 43299));

[CollectionDefinition(nameof(TroubledServerSandbox))]
public sealed class TroubledServerSandboxCollection : ICollectionFixture<TroubledServerSandbox>;
